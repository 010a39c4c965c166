package net.postern.submission;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.MailboxId;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.Test;

/** Guessers and users on two nodes over one database, on a clock of its own. */
class GuessSimulationTest {
  private static final int SOURCES = 1_000;
  private static final int ACCOUNTS = 50;
  private static final int HOURS = 2;

  private final ManualClock clock = new ManualClock(Instant.parse("2026-03-02T08:00:00Z"));

  private static InetAddress source(int number) {
    return TestAccounts.at("198.%d.%d.7".formatted(18 + number / 250, number % 250));
  }

  private static InetAddress home(int account) {
    return TestAccounts.at("192.0.%d.9".formatted(2 + account));
  }

  private static boolean tryWrong(GuessThrottle node, MailboxId account, InetAddress from) {
    if (node.ask(account, from) instanceof GuessThrottle.Answer.Allowed(var attempt)) {
      attempt.failed();
      return true;
    }
    return false;
  }

  private static boolean tryRight(GuessThrottle node, MailboxId account, InetAddress from) {
    if (node.ask(account, from) instanceof GuessThrottle.Answer.Allowed(var attempt)) {
      attempt.succeeded();
      return true;
    }
    return false;
  }

  @Test
  void aThousandSourcesGuessAndUsersDoNotNotice() {
    try (Database database = TestDatabase.open()) {
      List<GuessThrottle> nodes = List.of(new GuessThrottle(clock), new GuessThrottle(clock));
      List<MailboxId> accounts =
          java.util.stream.IntStream.range(0, ACCOUNTS).mapToObj(_ -> MailboxId.create()).toList();
      // Yesterday everyone was at home, on one of the nodes.
      for (int i = 0; i < ACCOUNTS; i++) {
        assertTrue(tryRight(nodes.get(i % 2), accounts.get(i), home(i)));
      }
      nodes.forEach(node -> node.exchange(database));
      nodes.forEach(node -> node.exchange(database));

      Random random = new Random(7);
      Map<MailboxId, Integer> guesses =
          new TreeMap<>(java.util.Comparator.comparing(MailboxId::value));
      int refusedUsers = 0;
      int logins = 0;
      for (int second = 0; second < HOURS * 3600; second++) {
        // 20 guesses a second, anywhere.
        for (int i = 0; i < 20; i++) {
          MailboxId victim = accounts.get(random.nextInt(ACCOUNTS));
          if (tryWrong(nodes.get(random.nextInt(2)), victim, source(random.nextInt(SOURCES)))) {
            guesses.merge(victim, 1, Integer::sum);
          }
        }
        int user = random.nextInt(ACCOUNTS);
        logins++;
        if (!tryRight(nodes.get(random.nextInt(2)), accounts.get(user), home(user))) {
          refusedUsers++;
        }
        clock.advance(Duration.ofSeconds(1));
        nodes.forEach(node -> node.exchange(database));
      }
      int most = guesses.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
      int all = guesses.values().stream().mapToInt(Integer::intValue).sum();
      System.out.printf(
          "%d guesses tried, %d looked at, at most %d for one account; %d logins, %d refused%n",
          HOURS * 3600 * 20, all, most, logins, refusedUsers);
      assertEquals(0, refusedUsers, "a user at home was refused");
      // 10 free, then waits of 1, 2, 4 ... 60 minutes: 6 within two hours, and what the other node
      // let through before it knew.
      assertTrue(most <= 25, () -> "guesses for one account: " + most);

      // The control: without guesses a stranger with the right password gets in.
      assertTrue(tryRight(nodes.get(0), MailboxId.create(), source(5000 % 250)));
    }
  }

  @Test
  void bothNodesRefuseAfterAnExchangeAndItEnds() {
    try (Database database = TestDatabase.open()) {
      GuessThrottle one = new GuessThrottle(clock);
      GuessThrottle two = new GuessThrottle(clock);
      MailboxId account = MailboxId.create();
      for (int i = 0; i < GuessThrottle.FREE; i++) {
        assertTrue(tryWrong(one, account, source(i)));
      }
      assertInstanceOf(GuessThrottle.Answer.Locked.class, one.ask(account, source(900)));
      // The other node does not know yet.
      assertInstanceOf(GuessThrottle.Answer.Allowed.class, two.ask(MailboxId.create(), source(1)));
      one.exchange(database);
      two.exchange(database);
      assertInstanceOf(GuessThrottle.Answer.Locked.class, two.ask(account, source(901)));
      // Each further wrong one doubles the wait.
      long before = 0;
      for (int i = 0; i < 4; i++) {
        clock.advance(Duration.ofMinutes(1L << i).plusSeconds(1));
        assertTrue(tryWrong(two, account, source(100 + i)), "after the wait one attempt");
        two.exchange(database);
        one.exchange(database);
        var locked =
            assertInstanceOf(GuessThrottle.Answer.Locked.class, one.ask(account, source(200 + i)));
        assertEquals("account", locked.scope());
        assertTrue(locked.left().toSeconds() > before, locked.toString());
        before = locked.left().toSeconds();
      }
      clock.advance(Duration.ofDays(2));
      assertTrue(tryRight(one, account, source(999)));
      one.prune(database);
      assertEquals(
          0L,
          database
              .row("select count(*) n from login_failure", row -> row.getLong("n"))
              .orElseThrow());
    }
  }

  @Test
  void oneSourceThatTriesManyAccountsIsRefused() {
    GuessThrottle node = new GuessThrottle(clock);
    for (int i = 0; i < GuessThrottle.FREE; i++) {
      assertTrue(tryWrong(node, MailboxId.create(), source(1)));
    }
    var locked =
        assertInstanceOf(
            GuessThrottle.Answer.Locked.class, node.ask(MailboxId.create(), source(1)));
    assertEquals("source", locked.scope());
    assertTrue(tryRight(node, MailboxId.create(), source(2)), "another source is not meant");
    // Names that nobody has are refused in the same way.
    for (int i = 0; i < GuessThrottle.FREE; i++) {
      if (node.ask("nobody", source(10 + i)) instanceof GuessThrottle.Answer.Allowed(var attempt)) {
        attempt.failed();
      }
    }
    assertInstanceOf(GuessThrottle.Answer.Locked.class, node.ask("nobody", source(77)));
  }

  /** A right password at home lets the count from there begin anew on all nodes, and no other. */
  @Test
  void whatIsForgivenOnOneNodeIsForgivenOnAll() {
    try (Database database = TestDatabase.open()) {
      GuessThrottle one = new GuessThrottle(clock, database);
      GuessThrottle two = new GuessThrottle(clock, database);
      MailboxId account = MailboxId.create();
      assertTrue(tryRight(one, account, home(1)));
      one.exchange(database);
      for (int i = 0; i < GuessThrottle.FREE - 1; i++) {
        assertTrue(tryWrong(one, account, home(1)));
        assertTrue(tryWrong(one, account, source(i)));
      }
      one.exchange(database);
      assertTrue(tryRight(two, account, home(1)));
      two.exchange(database);
      one.exchange(database);
      for (int i = 0; i < GuessThrottle.FREE; i++) {
        assertTrue(tryWrong(one, account, home(1)), "again as many");
      }
      assertInstanceOf(GuessThrottle.Answer.Locked.class, one.ask(account, home(1)));
      one.exchange(database);
      two.exchange(database);
      assertInstanceOf(GuessThrottle.Answer.Locked.class, two.ask(account, home(1)));
      // The control: what strangers tried is not forgiven.
      assertTrue(tryWrong(one, account, source(100)));
      assertInstanceOf(GuessThrottle.Answer.Locked.class, one.ask(account, source(101)));
    }
  }

  @Test
  void attemptsAtOneMomentGainNothing() {
    GuessThrottle node = new GuessThrottle(clock);
    MailboxId account = MailboxId.create();
    tryWrong(node, account, source(1));
    int allowed = 0;
    for (int i = 0; i < 100; i++) {
      if (node.ask(account, source(100 + i)) instanceof GuessThrottle.Answer.Allowed) {
        allowed++;
      }
    }
    assertEquals(GuessThrottle.FREE - 1, allowed);
  }

  /** What a node forgot, or never heard of, it reads when it is asked for. */
  @Test
  void aNodeThatStartsKnowsWhatTheOthersKnow() {
    try (Database database = TestDatabase.open()) {
      GuessThrottle one = new GuessThrottle(clock, database);
      MailboxId account = MailboxId.create();
      MailboxId other = MailboxId.create();
      assertTrue(tryRight(one, account, source(1)));
      for (int i = 0; i < GuessThrottle.FREE; i++) {
        assertTrue(tryWrong(one, account, source(100 + i)));
      }
      one.exchange(database);
      // It never exchanged anything.
      GuessThrottle fresh = new GuessThrottle(clock, database);
      assertInstanceOf(GuessThrottle.Answer.Locked.class, fresh.ask(account, source(200)));
      assertTrue(tryRight(fresh, account, source(1)), "its own source is known");
      assertTrue(tryRight(fresh, other, source(201)), "control: another account is not locked");
    }
  }

  @Test
  void namesThatNobodyHasAreCountedByAllNodes() {
    try (Database database = TestDatabase.open()) {
      GuessThrottle one = new GuessThrottle(clock);
      GuessThrottle two = new GuessThrottle(clock);
      for (int i = 0; i < GuessThrottle.FREE; i++) {
        if (one.ask("abcde", source(i)) instanceof GuessThrottle.Answer.Allowed(var attempt)) {
          attempt.failed();
        }
      }
      one.exchange(database);
      two.exchange(database);
      assertInstanceOf(GuessThrottle.Answer.Locked.class, two.ask("abcde", source(900)));
      assertInstanceOf(GuessThrottle.Answer.Allowed.class, two.ask("12345", source(900)));
    }
  }

  /** However many rows changed at one moment, all are read. */
  @Test
  void moreThanAPageOfChangesOfOneMomentAreRead() {
    try (Database database = TestDatabase.open()) {
      GuessThrottle node = new GuessThrottle(clock, Optional.empty(), 10);
      List<MailboxId> accounts =
          java.util.stream.IntStream.range(0, 35).mapToObj(_ -> MailboxId.create()).toList();
      database
          .jdbi()
          .useHandle(
              handle -> {
                Object at = handle.select("select clock_timestamp()").mapTo(Timestamp.class).one();
                for (MailboxId each : accounts) {
                  handle.execute(
                      "insert into login_failure values (?, 10, ?, ?)",
                      "account:" + each,
                      Timestamp.from(clock.instant()),
                      at);
                }
              });
      assertTrue(tryRight(node, accounts.get(3), source(3)), "control: nothing was read yet");
      node.exchange(database);
      for (int i = 0; i < accounts.size(); i++) {
        // Not from where one just logged in.
        assertInstanceOf(
            GuessThrottle.Answer.Locked.class, node.ask(accounts.get(i), source(700 + i)), "" + i);
      }
    }
  }

  @Test
  void whileTheDatabaseIsAwayEachNodeCountsAloneAndNobodyWaitsForLong() {
    try (Database database = TestDatabase.open()) {
      GuessThrottle node = new GuessThrottle(clock, database);
      TestDatabase.takeAway(database);
      long begun = System.nanoTime();
      for (int i = 0; i < 500; i++) {
        assertTrue(tryRight(node, MailboxId.create(), source(i)));
      }
      Duration took = Duration.ofNanos(System.nanoTime() - begun);
      assertTrue(took.compareTo(Duration.ofSeconds(30)) < 0, took::toString);
      MailboxId account = MailboxId.create();
      for (int i = 0; i < GuessThrottle.FREE; i++) {
        assertTrue(tryWrong(node, account, source(600 + i)));
      }
      assertInstanceOf(GuessThrottle.Answer.Locked.class, node.ask(account, source(900)));
    }
  }
}
