package net.postern.submission;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import net.postern.config.SubmissionConfig;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.tenant.SendLimit;
import net.postern.tenant.Submitter;
import net.postern.testkit.ManualClock;
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
    SendLimits.Reached reached = limits.charge(ann, 1).orElseThrow();
    assertEquals("account", reached.whose());
    assertEquals("messages an hour", reached.what());
    assertEquals(Instant.parse("2026-03-02T09:00:00Z"), reached.again());
    // The control: nobody else is meant.
    assertTrue(send(limits, bob, 10));
    assertEquals("recipients an hour", limits.charge(bob, 1).orElseThrow().what());

    clock.advance(Duration.ofMinutes(59));
    assertTrue(send(limits, ann, 1));
    assertTrue(send(limits, ann, 1));
    clock.advance(Duration.ofHours(2));
    assertEquals("messages a day", limits.charge(ann, 1).orElseThrow().what());
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
    assertEquals("customer", limits.charge(bob, 1).orElseThrow().whose());
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
}
