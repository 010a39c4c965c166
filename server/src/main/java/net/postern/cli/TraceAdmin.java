package net.postern.cli;

import java.io.PrintWriter;
import java.util.List;
import net.postern.ledger.MessageView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin trace}: what happened to a message, and why. */
@Command(
    name = "trace",
    description = "What happened to a message: by its id, or by a sender's or recipient's address.",
    mixinStandardHelpOptions = true)
final class TraceAdmin implements java.util.concurrent.Callable<Integer> {
  private static final int ID_LENGTH = 36;

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Parameters(paramLabel = "ID|ADDRESS", description = "A message id, or part of an address.")
  @SuppressWarnings("NullAway.Init") // required
  private String what;

  @Option(names = "--max", paramLabel = "N", defaultValue = "20")
  private int max;

  @Override
  public Integer call() {
    return admin.with(
        (bench, out) -> {
          if (what.length() == ID_LENGTH && what.indexOf('@') < 0) {
            List<MessageView> found = bench.messages().find(QuarantineAdmin.message(what));
            if (found.isEmpty()) {
              throw new CommandFailure(Exit.NEGATIVE, "no message " + what);
            }
            found.forEach(each -> print(out, each));
            return Exit.OK;
          }
          List<MessageView> found = bench.messages().search(what, max);
          List<MessageView.Step> refused = bench.messages().refusals(what, max);
          found.forEach(each -> print(out, each));
          for (MessageView.Step each : refused) {
            out.println(each.at() + "  refused  to " + each.recipient() + ": " + each.detail());
          }
          if (found.isEmpty() && refused.isEmpty()) {
            out.println("nothing is known of " + what);
            return Exit.NEGATIVE;
          }
          return Exit.OK;
        });
  }

  private static void print(PrintWriter out, MessageView each) {
    out.println(
        "%s  %s  from <%s> to <%s>"
            .formatted(
                each.key().message(),
                each.acceptedAt(),
                each.reversePath().orElse(""),
                each.recipient()));
    out.println(
        "  accepted from %s (%s), %d bytes, verdict %s, score %.1f%s"
            .formatted(
                each.client().isEmpty() ? "this node" : each.client(),
                each.helo(),
                each.bytes(),
                each.verdict(),
                each.score(),
                each.findings().isEmpty() ? "" : ": " + each.findings()));
    for (MessageView.Step step : each.steps()) {
      out.println("  " + step.at() + "  " + step.event() + "  " + step.detail());
    }
    String state =
        switch (each.state()) {
          case WAITING -> "waiting, next attempt at " + each.stateSince();
          case IN_PROGRESS -> "being delivered";
          case HELD -> "held in quarantine: " + each.rule();
          case DELIVERED -> "delivered at " + each.stateSince() + ": " + each.reply();
          case RETURNED -> "returned to its sender at " + each.stateSince() + ": " + each.reply();
          case REMOVED -> "removed at " + each.stateSince() + ": " + each.rule();
        };
    out.println("  " + state + (each.attempts() > 1 ? " (attempt " + each.attempts() + ")" : ""));
    each.goneSince().ifPresent(since -> out.println("  content no longer kept since " + since));
  }
}
