package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.events.Reference;
import net.postern.testkit.Await;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RefusalTraceTest {
  private static final MailEvent.Reason REASON = MailEvent.Reason.CONTENT;

  private static MailEvent.Refused refusal(Reference reference, String recipient) {
    return new MailEvent.Refused(
        MailEvent.Stage.DATA,
        REASON,
        550,
        "5.7.1",
        "This looks like spam",
        new MailEvent.Peer("192.0.2.7", "client.example", ""),
        "sender@example.net",
        recipient,
        Optional.empty(),
        reference);
  }

  @Test
  void aReferenceFindsItsRefusalAndNoOther() {
    Reference one = new Reference(Optional.of(REASON), Instant.now(), 1);
    Reference other = new Reference(Optional.of(REASON), Instant.now(), 2);
    try (Database database = TestDatabase.open()) {
      try (RefusalTrace trace = new RefusalTrace(database, 1_000, InstantSource.system())) {
        trace.emit(refusal(one, "ann@example.com"));
        trace.emit(refusal(one, "bea@example.com"));
        trace.emit(refusal(other, "carl@example.com"));
      }
      List<MessageView.Step> found = new MessageQueries(database).refused(one);
      assertEquals(
          List.of("ann@example.com", "bea@example.com"),
          found.stream().map(MessageView.Step::recipient).toList());
      assertTrue(found.getFirst().detail().contains("client 192.0.2.7"), found::toString);
    }
  }

  @Test
  void whatIsOldIsForgottenAndNothingElse() {
    Reference reference = Reference.of(REASON, Instant.now());
    try (Database database = TestDatabase.open()) {
      RefusalTrace trace = new RefusalTrace(database, 1_000, InstantSource.system());
      trace.emit(refusal(reference, "ann@example.com"));
      trace.close();
      assertEquals(0, trace.prune(Instant.now().minus(Duration.ofMinutes(1))));
      assertEquals(1, new MessageQueries(database).refused(reference).size());
      assertEquals(1, trace.prune(Instant.now().plus(Duration.ofMinutes(1))));
      assertEquals(0, new MessageQueries(database).refused(reference).size());
    }
  }

  @Test
  void aFailedLoginIsFoundByItsReference() {
    Reference wrong = Reference.of(MailEvent.Reason.LOGIN_FAILED, Instant.now());
    Reference locked = Reference.of(MailEvent.Reason.LOGIN_LOCKED, Instant.now());
    MailEvent.Peer peer = new MailEvent.Peer("192.0.2.7", "laptop.example", "");
    try (Database database = TestDatabase.open()) {
      try (RefusalTrace trace = new RefusalTrace(database, 1_000, InstantSource.system())) {
        trace.emit(
            new MailEvent.AuthFailed(peer, "ann@example.com", "PLAIN", "wrong password", wrong));
        trace.emit(
            new MailEvent.LoginLocked(
                peer, "ann@example.com", "source", Duration.ofMinutes(2), locked));
      }
      MessageQueries queries = new MessageQueries(database);
      String detail = queries.refused(wrong).getFirst().detail();
      assertTrue(detail.contains("wrong password (as ann@example.com, client 192.0.2.7"), detail);
      detail = queries.refused(locked).getFirst().detail();
      assertTrue(detail.contains("source locked for 120 s"), detail);
    }
  }

  /** A flood fills no table, and it can be said of a reference that it was one of a flood. */
  @Test
  void ofAFloodTheRestIsCounted() {
    ManualClock clock = new ManualClock(Instant.parse("2026-03-02T08:00:10Z"));
    Reference kept = new Reference(Optional.of(REASON), clock.instant(), 1);
    Reference lost = new Reference(Optional.of(REASON), clock.instant(), 2);
    Reference later = new Reference(Optional.of(REASON), clock.instant().plusSeconds(300), 3);
    try (Database database = TestDatabase.open()) {
      RefusalTrace trace = new RefusalTrace(database, 10, clock);
      MessageQueries queries = new MessageQueries(database);
      trace.emit(refusal(kept, "ann@example.com"));
      for (int i = 0; i < 100; i++) {
        trace.emit(refusal(i < 50 ? Reference.of(REASON, clock.instant()) : lost, ""));
      }
      assertEquals(91, trace.dropped());
      clock.advance(Duration.ofMinutes(5));
      // The control: the next minute has a budget of its own.
      trace.emit(refusal(later, "ann@example.com"));
      Await.until(() -> queries.refused(later).size() == 1);
      Await.until(() -> queries.refusedUnkept(lost.at()) == 91);
      assertEquals(1, queries.refused(kept).size());
      assertEquals(0, queries.refused(lost).size());
      assertEquals(0, queries.refusedUnkept(later.at()));
      // Eleven that were kept, and the number of the others; in pieces.
      assertEquals(11, trace.prune(clock.instant().minusSeconds(60), 4));
      assertEquals(1, queries.refused(later).size());
      trace.close();
    }
  }

  /** What is said by the threads that the thread of a test has started, and by no others. */
  private static final class Said extends AppenderBase<ILoggingEvent> {
    private static final InheritableThreadLocal<Said> OURS = new InheritableThreadLocal<>();
    private final List<String> lines = new CopyOnWriteArrayList<>();

    /** Call it before the threads are started. */
    void listen() {
      OURS.set(this);
      start();
    }

    @Override
    protected void append(ILoggingEvent event) {
      if (OURS.get() == this) {
        lines.add(event.getFormattedMessage());
      }
    }
  }

  /** A database that is away is left alone for a second, and a log line tells of a loss. */
  @Test
  void aDatabaseThatIsAwayIsLeftAlone() {
    // Other tests have traces too, at the same time.
    Said said = new Said();
    said.listen();
    Logger log = (Logger) LoggerFactory.getLogger(RefusalTrace.class);
    log.addAppender(said);
    ManualClock clock = new ManualClock(Instant.parse("2026-03-02T08:00:10Z"));
    Database database = TestDatabase.open();
    try {
      try (RefusalTrace trace = new RefusalTrace(database, 10, clock)) {
        database.close();
        long first = System.nanoTime();
        trace.emit(refusal(Reference.of(REASON, clock.instant()), "ann@example.com"));
        Await.until(() -> trace.dropped() == 1);
        // The number of the minute that is over is due from now on.
        clock.advance(Duration.ofMinutes(5));
        trace.emit(refusal(Reference.of(REASON, clock.instant()), "bea@example.com"));
        Await.until(() -> trace.dropped() == 2);
        long second = System.nanoTime();
        assertTrue(second - first > Duration.ofMillis(500).toNanos(), "it was tried at once");
        Await.until(() -> System.nanoTime() - second > Duration.ofMillis(1500).toNanos());
      }
      Await.until(() -> said.lines.size() >= 3);
    } finally {
      log.detachAppender(said);
      Said.OURS.remove();
    }
    List<String> lines = said.lines;
    assertEquals(3, lines.size(), lines::toString);
    assertTrue(lines.get(0).startsWith("1 refusals could not be written"), lines::toString);
    assertTrue(lines.get(1).startsWith("1 refusals could not be written"), lines::toString);
    assertTrue(lines.get(2).startsWith("the trace does not tell of 2 refusals"), lines::toString);
  }
}
