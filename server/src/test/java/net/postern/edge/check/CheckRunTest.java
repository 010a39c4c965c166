package net.postern.edge.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import net.postern.address.EmailAddress;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.tenant.Directory;
import net.postern.tenant.RecipientLookup;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;

class CheckRunTest {

  private record Fixed(String name, boolean waits, Function<String, CheckResult> answer)
      implements Check<String> {
    @Override
    public About about() {
      return new About(name, Stage.RCPT, true, false, "A test.", "");
    }

    @Override
    public CheckResult check(String question) {
      return answer.apply(question);
    }
  }

  private static CheckResult refuse(String text) {
    return new CheckResult.Reject(
        new Refusal(Reply.of(550, "5.7.1", text), Reason.SYNTAX, text, Optional.empty()));
  }

  private static Optional<CheckRun.Refused> ask(List<Check<String>> checks) {
    return CheckRun.ask(checks, "question", note -> {});
  }

  @Test
  void theFirstInTheListDecidesWhoeverIsFirstToAnswer() {
    CountDownLatch secondAnswered = new CountDownLatch(1);
    Check<String> slow =
        new Fixed(
            "slow",
            true,
            question -> {
              try {
                assertTrue(secondAnswered.await(10, TimeUnit.SECONDS));
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return refuse("slow");
            });
    Check<String> fast =
        new Fixed(
            "fast",
            true,
            question -> {
              secondAnswered.countDown();
              return refuse("fast");
            });
    assertEquals("slow", ask(List.of(slow, fast)).orElseThrow().check());
    assertEquals("fast", ask(List.of(fast, slow)).orElseThrow().check());
  }

  @Test
  void whatNeedsNoWaitIsAskedBeforeAnythingElseIsBegun() {
    AtomicInteger begun = new AtomicInteger();
    Check<String> quick = new Fixed("quick", false, question -> refuse("quick"));
    Check<String> slow =
        new Fixed(
            "slow",
            true,
            question -> {
              begun.incrementAndGet();
              return new CheckResult.Pass();
            });
    assertEquals("quick", ask(List.of(quick, slow)).orElseThrow().check());
    assertEquals(0, begun.get());
    // The control: behind one that waits it is not known yet whether it counts.
    assertEquals("quick", ask(List.of(slow, quick)).orElseThrow().check());
    assertEquals(1, begun.get());
  }

  @Test
  void thoseThatWaitDoSoBesideEachOther() {
    CyclicBarrier all = new CyclicBarrier(3);
    List<Check<String>> checks = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      checks.add(
          new Fixed(
              name,
              true,
              question -> {
                try {
                  all.await(10, TimeUnit.SECONDS);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
                return new CheckResult.Pass();
              }));
    }
    assertEquals(Optional.empty(), ask(checks));
  }

  @Test
  void whatThrowsIsDeferredAndPassesNobody() {
    Check<String> broken =
        new Fixed(
            "broken",
            false,
            question -> {
              throw new IllegalStateException("on purpose");
            });
    CheckRun.Refused refused = ask(List.of(broken)).orElseThrow();
    assertEquals(451, refused.refusal().reply().code());
    assertEquals(Reason.INTERNAL, refused.refusal().reason());
  }

  @Test
  void whereTheAnswerIsThereNothingElseIsBegun() {
    AtomicInteger begun = new AtomicInteger();
    Check<String> slow =
        new Fixed(
            "slow",
            true,
            question -> {
              begun.incrementAndGet();
              return new CheckResult.Pass();
            });
    assertEquals("ready", ask(List.of(new Ready(true), slow)).orElseThrow().check());
    assertEquals(0, begun.get());
    // The control: with an answer that is not there yet the next one is begun beside it.
    assertEquals("ready", ask(List.of(new Ready(false), slow)).orElseThrow().check());
    Await.until(() -> begun.get() == 1);
  }

  /** Refuses; may have to wait for it, but for this question perhaps not. */
  private record Ready(boolean there) implements Check<String> {
    @Override
    public About about() {
      return new About("ready", Stage.RCPT, true, false, "A test.", "");
    }

    @Override
    public boolean waits() {
      return true;
    }

    @Override
    public boolean waits(String question) {
      return !there;
    }

    @Override
    public CheckResult check(String question) {
      return refuse("ready");
    }
  }

  @Test
  void notesReachTheFilterAndRefuseNothing() {
    List<String> notes = new ArrayList<>();
    Check<String> noting =
        new Fixed("noting", true, question -> new CheckResult.Note("A_NAME", question));
    assertEquals(
        Optional.empty(), CheckRun.ask(List.of(noting), "x", note -> notes.add(note.name())));
    assertEquals(List.of("A_NAME"), notes);
  }

  @Test
  void checksAreSwitchedByNameAndAWrongNameSaysWhichThereAre() {
    Checks all = Checks.inOrder(Checks.Parts.of(new Nobody()));
    assertTrue(all.all().stream().anyMatch(about -> about.name().equals("relay_control")));
    Checks less = all.switched(List.of(), List.of("known_recipient"));
    assertEquals(all.all().size() - 1, less.all().size());
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> all.switched(List.of("no_such"), List.of()));
    assertTrue(String.valueOf(e.getMessage()).contains("known_recipient"), e::toString);
    assertThrows(
        IllegalArgumentException.class,
        () -> all.switched(List.of("relay_control"), List.of("relay_control")));
  }

  private static final class Nobody implements Directory {
    @Override
    public RecipientLookup lookup(EmailAddress address) {
      return new RecipientLookup.NotOurs();
    }

    @Override
    public net.postern.tenant.Lookup<Optional<net.postern.id.CustomerId>> registeredServer(
        java.net.InetAddress client) {
      return net.postern.tenant.Lookup.of(Optional.empty());
    }
  }
}
