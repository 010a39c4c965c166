package net.postern.edge.check;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import net.postern.events.MailEvent.Reason;
import net.postern.smtp.Reply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the checks of one stage. Those that may have to wait are begun at once, all beside each
 * other; the answers are then looked at in the order of the list, so that the same question always
 * gets the same reply, whoever was first.
 */
public final class CheckRun {
  private static final Logger LOG = LoggerFactory.getLogger(CheckRun.class);

  private CheckRun() {}

  /** A check, and the answer that it gives or is going to give. */
  private record Asked<Q>(Check<Q> check, Optional<Pending<CheckResult>> pending) {}

  /**
   * Asks all.
   *
   * @param notes gets what has to be told to the filter
   * @return the first check in order that refuses; empty when none does
   */
  public static <Q> Optional<Refused> ask(
      List<Check<Q>> checks, Q question, Consumer<CheckResult.Note> notes) {
    return ask(checks, question, notes, delay -> {});
  }

  /**
   * Asks all.
   *
   * @param notes gets what has to be told to the filter
   * @param delays gets each time that the reply is to wait
   * @return the first check in order that refuses; empty when none does
   */
  public static <Q> Optional<Refused> ask(
      List<Check<Q>> checks,
      Q question,
      Consumer<CheckResult.Note> notes,
      Consumer<Duration> delays) {
    // Those before the first that waits need not be kept waiting for, nor others begun for nothing.
    int quick = 0;
    while (quick < checks.size() && !checks.get(quick).waits(question)) {
      Check<Q> check = checks.get(quick++);
      Optional<Refused> refused = refused(check, run(check, question), notes, delays);
      if (refused.isPresent()) {
        return refused;
      }
    }
    List<Asked<Q>> asked = new ArrayList<>(checks.size() - quick);
    for (Check<Q> check : checks.subList(quick, checks.size())) {
      asked.add(
          new Asked<>(
              check,
              check.waits(question)
                  ? Optional.of(Pending.begin(() -> run(check, question)))
                  : Optional.empty()));
    }
    for (Asked<Q> each : asked) {
      CheckResult result =
          each.pending().isPresent() ? each.pending().get().await() : run(each.check(), question);
      Optional<Refused> refused = refused(each.check(), result, notes, delays);
      if (refused.isPresent()) {
        return refused;
      }
    }
    return Optional.empty();
  }

  /** Those of a list that are asked at one turn, in its order. */
  public static <Q> List<Check<Q>> at(List<Check<Q>> checks, Check.Turn turn) {
    return checks.stream()
        .filter(each -> each.turn() == turn || each.turn() == Check.Turn.BOTH)
        .toList();
  }

  /** How many stand before the first that waits. */
  public static int leading(List<? extends Check<?>> checks) {
    int count = 0;
    while (count < checks.size() && !checks.get(count).waits()) {
      count++;
    }
    return count;
  }

  private static Optional<Refused> refused(
      Check<?> check,
      CheckResult result,
      Consumer<CheckResult.Note> notes,
      Consumer<Duration> delays) {
    String name = check.about().name();
    return switch (result) {
      case CheckResult.Pass _ -> Optional.empty();
      case CheckResult.Note note -> {
        notes.accept(note);
        yield Optional.empty();
      }
      case CheckResult.Slow(Duration delay) -> {
        delays.accept(delay);
        yield Optional.empty();
      }
      case CheckResult.Defer(Refusal refusal) -> Optional.of(new Refused(name, refusal, false));
      case CheckResult.Reject(Refusal refusal) -> Optional.of(new Refused(name, refusal, false));
      case CheckResult.Disconnect(Refusal refusal) -> Optional.of(new Refused(name, refusal, true));
    };
  }

  /**
   * A refusal.
   *
   * @param check the name of the check
   * @param disconnect whether the session ends with it
   */
  public record Refused(String check, Refusal refusal, boolean disconnect) {}

  // A check says what it cannot do by a value; should it throw all the same, the client still gets
  // its reply and may come again.
  private static <Q> CheckResult run(Check<Q> check, Q question) {
    try {
      return check.check(question);
    } catch (RuntimeException e) {
      LOG.error("check {} failed", check.about().name(), e);
      return new CheckResult.Defer(
          new Refusal(
              Reply.of(451, "4.3.0", "This cannot be checked now, please try again"),
              Reason.INTERNAL,
              "Check %s failed with %s."
                  .formatted(check.about().name(), e.getClass().getSimpleName()),
              Optional.empty()));
    }
  }
}
