package net.postern.submission;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.config.SubmissionConfig;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.tenant.SendLimit;
import net.postern.tenant.Submitter;
import net.postern.testkit.Await;
import net.postern.testkit.ManualClock;
import org.jdbi.v3.core.Handle;
import org.junit.jupiter.api.Test;

class SendLimitsTest {
  private final ManualClock clock = new ManualClock(Instant.parse("2026-03-02T08:02:00Z"));
  private final CustomerId customer = CustomerId.create();
  private final TestAccounts accounts = new TestAccounts(customer);
  private final Submitter ann = accounts.user("ann@example.org");
  private final Submitter bob = accounts.user("bob@example.org");

  private static SubmissionConfig config(Map<String, Integer> limits) {
    return TestConfig.with(TestConfig.submission(), limits);
  }

  private SendLimits limits(SubmissionConfig config, Optional<Database> database) {
    return new SendLimits(config, accounts, clock, database);
  }

  private static boolean send(SendLimits limits, Submitter sender, int recipients) {
    return limits.charge(sender, recipients).isEmpty();
  }

  private static SendLimits.Reached reached(SendLimits limits, Submitter sender) {
    return assertInstanceOf(SendLimits.Reached.class, limits.charge(sender, 1).orElseThrow());
  }

  @Test
  void messagesAndRecipientsOfAnHourAndADay() {
    SendLimits limits =
        limits(
            config(
                Map.of(
                    "accountMessagesHour", 3,
                    "accountMessagesDay", 5,
                    "accountRecipientsHour", 10,
                    "accountRecipientsDay", 100)),
            Optional.empty());
    for (int i = 0; i < 3; i++) {
      assertTrue(send(limits, ann, 1));
    }
    SendLimits.Reached reached = reached(limits, ann);
    assertEquals("account", reached.whose());
    assertEquals("messages an hour", reached.what());
    assertEquals(Instant.parse("2026-03-02T09:00:00Z"), reached.again());
    // The control: nobody else is meant.
    assertTrue(send(limits, bob, 10));
    assertEquals("recipients an hour", reached(limits, bob).what());

    clock.advance(Duration.ofMinutes(59));
    assertTrue(send(limits, ann, 1));
    assertTrue(send(limits, ann, 1));
    clock.advance(Duration.ofHours(2));
    assertEquals("messages a day", reached(limits, ann).what());
    clock.advance(Duration.ofHours(22));
    assertTrue(send(limits, ann, 1));
  }

  @Test
  void whatWasNotTakenIsGivenBackAndExceptionsCount() {
    SendLimits limits = limits(config(Map.of("accountMessagesHour", 1)), Optional.empty());
    assertTrue(send(limits, ann, 1));
    assertTrue(limits.ask(ann, 1).isPresent());
    limits.refund(ann, 1);
    assertTrue(limits.ask(ann, 1).isEmpty());

    accounts.limits.put(
        bob.mailbox().value(),
        new SendLimit(
            OptionalInt.of(2), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty()));
    assertTrue(send(limits, bob, 1));
    assertTrue(send(limits, bob, 1));
    assertTrue(limits.ask(bob, 1).isPresent());
  }

  @Test
  void aCustomersUsersAndServersCountTogether() {
    SendLimits limits = limits(config(Map.of("customerRecipientsHour", 10)), Optional.empty());
    Submitter server =
        new Submitter(
            Submitter.Kind.SERVER, customer, TestAccounts.mailbox("servers"), "192.0.2.1");
    assertTrue(send(limits, ann, 4));
    assertTrue(send(limits, server, 6));
    assertEquals("customer", reached(limits, bob).whose());
    Submitter other =
        new Submitter(
            Submitter.Kind.SERVER, CustomerId.create(), TestAccounts.mailbox("o"), "192.0.2.2");
    assertTrue(send(limits, other, 6), "another customer is not meant");
  }

  @Test
  void nodesCountTogether() {
    try (Database database = TestDatabase.open()) {
      SubmissionConfig config = config(Map.of("accountMessagesHour", 6));
      SendLimits one = limits(config, Optional.of(database));
      SendLimits two = limits(config, Optional.of(database));
      assertTrue(send(two, ann, 1));
      for (int i = 0; i < 3; i++) {
        assertTrue(send(one, ann, 1));
      }
      for (int i = 0; i < 2; i++) {
        one.exchange(database);
        two.exchange(database);
      }
      assertTrue(send(one, ann, 1));
      assertTrue(send(two, ann, 1));
      one.exchange(database);
      two.exchange(database);
      one.exchange(database);
      assertTrue(one.ask(ann, 1).isPresent());
      assertTrue(two.ask(ann, 1).isPresent());
      // A node that starts now knows as well.
      assertTrue(limits(config, Optional.of(database)).ask(ann, 1).isPresent());
      assertEquals(
          6,
          database
              .row(
                  "select sum(messages)::integer n from send_count where subject = ?",
                  row -> row.getInt("n"),
                  ann.mailbox().value())
              .orElseThrow());
    }
  }

  /** Nobody waits for the counts of others, which are read for each subject when it first sends. */
  @Test
  void onlyWhoSendsWaitsForWhatItSent() throws Exception {
    try (Database database = TestDatabase.open()) {
      SendLimits limits = limits(config(Map.of()), Optional.of(database));
      assertTrue(send(limits, bob, 1));
      try (Handle lock = database.jdbi().open()) {
        lock.begin();
        lock.execute("lock table send_count in access exclusive mode");
        CompletableFuture<Boolean> stranger = new CompletableFuture<>();
        Submitter other =
            new Submitter(
                Submitter.Kind.SERVER, CustomerId.create(), TestAccounts.mailbox("o"), "192.0.2.2");
        Thread.ofVirtual().start(() -> stranger.complete(send(limits, other, 1)));
        Await.until(Duration.ofSeconds(10), () -> waiting(database) == 1);
        CompletableFuture<Boolean> known = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> known.complete(send(limits, bob, 1)));
        assertTrue(known.get(10, TimeUnit.SECONDS));
        assertFalse(stranger.isDone(), "control: who is not known waits for the table");
        lock.rollback();
        assertTrue(stranger.get(10, TimeUnit.SECONDS));
      }
    }
  }

  private static int waiting(Database database) {
    return database
        .row(
            "select count(*)::integer n from pg_stat_activity where wait_event_type = 'Lock' and"
                + " datname = current_database()",
            row -> row.getInt("n"))
        .orElseThrow();
  }

  @Test
  void messagesAtOneMomentDoNotExceedTheLimit() throws Exception {
    SendLimits limits =
        limits(
            config(Map.of("customerMessagesHour", 50, "accountMessagesHour", 40)),
            Optional.empty());
    AtomicInteger sent = new AtomicInteger();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        Submitter sender = i % 2 == 0 ? ann : bob;
        threads.execute(
            () -> {
              if (send(limits, sender, 1)) {
                sent.incrementAndGet();
              }
            });
      }
    }
    assertEquals(50, sent.get());
  }

  /** Who is known goes on; of who is not, nothing is made up, and nobody waits for long. */
  @Test
  void whileTheDatabaseIsAwayOnlyTheKnownSend() {
    try (Database database = TestDatabase.open()) {
      SendLimits limits = limits(config(Map.of("accountMessagesHour", 3)), Optional.of(database));
      assertTrue(send(limits, ann, 1));
      TestDatabase.takeAway(database);
      assertTrue(send(limits, ann, 1));
      assertInstanceOf(SendLimits.Unknown.class, limits.charge(bob, 1).orElseThrow());
      long begun = System.nanoTime();
      for (int i = 0; i < 1_000; i++) {
        assertInstanceOf(SendLimits.Unknown.class, limits.charge(bob, 1).orElseThrow());
      }
      Duration took = Duration.ofNanos(System.nanoTime() - begun);
      assertTrue(took.compareTo(Duration.ofSeconds(30)) < 0, took::toString);
      assertTrue(send(limits, ann, 1));
      reached(limits, ann);
    }
  }

  /** An exchange reads what changed, whoever it is of, and not what everybody sent today. */
  @Test
  void anExchangeReadsWhatChanged() {
    try (Database database = TestDatabase.open()) {
      SendLimits limits = limits(config(Map.of("accountMessagesHour", 10)), Optional.of(database));
      assertTrue(send(limits, ann, 1));
      limits.exchange(database);
      // Changed by nobody who says so, and so not read: a control of what is read at all.
      database
          .jdbi()
          .useHandle(
              handle ->
                  handle.execute(
                      "update send_count set messages = 10, changed_at = clock_timestamp() -"
                          + " interval '1 hour' where subject = ?",
                      ann.mailbox().value()));
      limits.exchange(database);
      assertTrue(limits.ask(ann, 1).isEmpty());
      assertTrue(send(limits, ann, 1));
      limits.exchange(database);
      assertTrue(limits.ask(ann, 1).isPresent(), "the row has changed, so it is read");
    }
  }
}
