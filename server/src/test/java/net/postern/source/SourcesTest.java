package net.postern.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import net.postern.config.LimitsConfig;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes over one database. */
class SourcesTest {
  private static final InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.1");
  private static final byte[] KEY = new byte[32];
  private static final Source SOURCE = Source.address(CLIENT);

  private final Database database = TestDatabase.open();
  private final ManualClock clock = new ManualClock(Instant.parse("2026-06-01T08:00:00Z"));
  private final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();
  private final LimitsConfig limits = TestConfig.limits();
  private final Sources one = node();
  private final Sources two = node();
  private int names;

  private Sources node() {
    return new Sources(limits, List.of(), KEY, database, events::add, clock);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void exchange() throws SQLException {
    one.exchange();
    two.exchange();
    one.exchange();
  }

  private RecipientFinding unknown(Sources node, InetAddress client) {
    return unknown(node, client, "nobody" + names++);
  }

  private static RecipientFinding unknown(Sources node, InetAddress client, String local) {
    return node.recipient(
        client, new AskedRecipient("example.org", false, local + "@example.org"), () -> false);
  }

  private static RecipientFinding known(Sources node, InetAddress client, int number) {
    return known(node, client, "u" + number + "@example.org");
  }

  private static RecipientFinding known(Sources node, InetAddress client, String name) {
    return node.recipient(client, new AskedRecipient("example.org", true, name), () -> false);
  }

  private Block harvest(Sources node, InetAddress client) {
    for (int i = 0; i < 4; i++) {
      assertFalse(unknown(node, client) instanceof RecipientFinding.Blocked, "too early");
    }
    return assertInstanceOf(RecipientFinding.Blocked.class, unknown(node, client)).block();
  }

  @Test
  void whoIsBlockedOnOneNodeIsBlockedOnTheOther() throws Exception {
    exchange();
    harvest(one, CLIENT);
    assertTrue(one.blocked(CLIENT).isPresent());
    assertTrue(two.blocked(CLIENT).isEmpty());
    exchange();
    assertEquals(one.blocked(CLIENT), two.blocked(CLIENT));
    // The controls: a neighbour, and a node that starts now.
    assertTrue(two.blocked(InetAddress.ofLiteral("192.0.2.2")).isEmpty());
    Sources three = node();
    three.exchange();
    assertTrue(three.blocked(CLIENT).isPresent());
    assertEquals(
        1, events.stream().filter(each -> each instanceof MailEvent.SourceBlocked).count());
  }

  @Test
  void countsOfBothNodesAreAddedUpAndTheSameRecipientCountsOnce() throws Exception {
    exchange();
    for (int i = 0; i < 20; i++) {
      for (Sources node : List.of(one, two)) {
        assertEquals(RecipientFinding.CLEAR, unknown(node, CLIENT, "typo"));
        exchange();
      }
    }
    unknown(one, CLIENT);
    unknown(two, CLIENT);
    exchange();
    assertInstanceOf(RecipientFinding.Suspect.class, unknown(one, CLIENT));
    exchange();
    assertInstanceOf(RecipientFinding.Blocked.class, unknown(two, CLIENT));
  }

  @Test
  void whatIsKnownHereCountsThere() throws Exception {
    exchange();
    for (int i = 0; i < 10; i++) {
      assertEquals(RecipientFinding.CLEAR, known(one, CLIENT, i));
    }
    for (int i = 0; i < 3; i++) {
      unknown(two, CLIENT);
    }
    exchange();
    exchange();
    // 4 of 14 on both; on the other node alone it would be 4 of 4.
    assertEquals(RecipientFinding.CLEAR, unknown(two, CLIENT));
  }

  @Test
  void blocksOfOneThatReturnsGrowAndEnd() throws Exception {
    exchange();
    long hours = 1;
    for (int time = 1; time <= 6; time++) {
      Sources node = time % 2 == 0 ? two : one;
      Block block = harvest(node, CLIENT);
      assertEquals(time, block.offence());
      assertEquals(Duration.ofHours(hours), Duration.between(block.since(), block.until()));
      exchange();
      clock.advance(Duration.ofHours(hours).minusSeconds(1));
      assertTrue(one.blocked(CLIENT).isPresent() && two.blocked(CLIENT).isPresent());
      clock.advance(Duration.ofSeconds(1));
      assertTrue(one.blocked(CLIENT).isEmpty() && two.blocked(CLIENT).isEmpty());
      exchange();
      assertEquals(0, one.blockedNow() + two.blockedNow());
      hours *= 2;
      // Windows of the other hour count no more.
      clock.advance(Duration.ofHours(1));
    }
    clock.advance(Block.MEMORY);
    assertEquals(1, harvest(one, CLIENT).offence());
  }

  @Test
  void twoNodesThatBlockAtOnceBlockOnce() throws Exception {
    exchange();
    harvest(one, CLIENT);
    harvest(two, CLIENT);
    exchange();
    assertEquals(1, one.blocked(CLIENT).orElseThrow().offence());
    assertEquals(one.blocked(CLIENT), two.blocked(CLIENT));
  }

  @Test
  void aPersonMayLiftABlockAndSetOne() throws Exception {
    SourceDesk desk = new SourceDesk(database, clock);
    exchange();
    harvest(one, CLIENT);
    exchange();
    assertEquals(1, desk.blocked(10).size());
    clock.advance(Duration.ofSeconds(5));
    assertEquals(1, desk.unblock(SOURCE).size());
    exchange();
    assertTrue(one.blocked(CLIENT).isEmpty() && two.blocked(CLIENT).isEmpty());
    assertEquals(RecipientFinding.CLEAR, unknown(one, CLIENT), "what was counted is forgotten");
    assertEquals(List.of(), desk.unblock(SOURCE));
    desk.block(SOURCE.network(), Duration.ofDays(2), "abuse");
    exchange();
    assertEquals("abuse", two.blocked(CLIENT).orElseThrow().why());
    clock.advance(Duration.ofDays(2));
    assertTrue(two.blocked(CLIENT).isEmpty());
  }

  @Test
  void withoutTheDatabaseANodeGoesOnAndCatchesUp() throws Exception {
    exchange();
    TestDatabase.takeAway(database);
    assertThrows(SQLException.class, one::exchange);
    harvest(one, CLIENT);
    assertTrue(one.blocked(CLIENT).isPresent());
    assertEquals(RecipientFinding.CLEAR, known(two, CLIENT, 1), "nothing is refused for it");
    assertThrows(SQLException.class, one::exchange);
    TestDatabase.bringBack(database);
    net.postern.testkit.Await.until(
        () -> {
          try {
            exchange();
            return two.blocked(CLIENT).isPresent();
          } catch (SQLException e) {
            return false;
          }
        });
  }

  @Test
  void aBlockEndsWithoutTheDatabase() throws Exception {
    exchange();
    harvest(one, CLIENT);
    exchange();
    TestDatabase.takeAway(database);
    clock.advance(Duration.ofHours(1));
    assertThrows(SQLException.class, two::exchange);
    assertTrue(two.blocked(CLIENT).isEmpty());
    assertEquals(0, two.blockedNow());
  }

  @Test
  void aGoodNameIsSharedAndHasCredit() throws Exception {
    exchange();
    assertEquals(Grade.NEW, two.grade(CLIENT));
    // Nor does mail make one that somebody took only because of a waiver.
    InetAddress waived = InetAddress.ofLiteral("198.51.100.9");
    for (int i = 0; i < 30; i++) {
      one.emit(accepted("PASS"));
      one.emit(accepted(waived, "PASS", "FLAG"));
    }
    assertEquals(Grade.GOOD, one.grade(CLIENT));
    assertNotEquals(Grade.GOOD, one.grade(waived));
    clock.advance(Duration.ofSeconds(10));
    exchange();
    two.exchange();
    assertEquals(Grade.GOOD, two.grade(CLIENT));
    for (int i = 0; i < 9; i++) {
      assertEquals(RecipientFinding.CLEAR, unknown(two, CLIENT));
    }
    // The control: nobody has credit without end.
    for (int i = 0; i < 10; i++) {
      unknown(two, CLIENT);
    }
    assertInstanceOf(RecipientFinding.Blocked.class, unknown(two, CLIENT));
  }

  @Test
  void spamAndRefusalsMakeABadNameAndOurOwnFaultsDoNot() {
    for (int i = 0; i < 50; i++) {
      one.emit(refused(Reason.DATABASE_UNAVAILABLE));
      one.emit(refused(Reason.SOURCE_BLOCKED));
    }
    assertEquals(Grade.NEW, one.grade(CLIENT));
    for (int i = 0; i < 3; i++) {
      one.emit(accepted("QUARANTINE"));
      one.emit(refused(Reason.CONTENT));
    }
    assertEquals(Grade.BAD, one.grade(CLIENT));
    assertEquals(5, one.connections(CLIENT, 50));
    assertEquals(50, one.connections(InetAddress.ofLiteral("198.51.100.1"), 50));
  }

  @Test
  void insideNetworksAreNobodysBusiness() {
    InetAddress inside = InetAddress.ofLiteral("10.1.2.3");
    for (int i = 0; i < 10_000; i++) {
      assertEquals(RecipientFinding.CLEAR, unknown(one, inside));
      assertEquals(new Pace.Free(), one.connect(inside));
      assertFalse(one.floods(inside));
    }
    assertFalse(one.isToWait(inside));
    assertTrue(one.isToWait(CLIENT));
  }

  @Test
  void aCustomersOwnServerIsDeferredAndNeverBlocked() {
    for (int i = 0; i < 49; i++) {
      RecipientFinding finding =
          one.recipient(CLIENT, new AskedRecipient("example.org", false, "x" + i), () -> true);
      assertEquals(RecipientFinding.CLEAR, finding);
    }
    for (int i = 49; i < 200; i++) {
      assertInstanceOf(
          RecipientFinding.Suspect.class,
          one.recipient(CLIENT, new AskedRecipient("example.org", false, "x" + i), () -> true));
    }
    assertTrue(one.blocked(CLIENT).isEmpty());
  }

  @Test
  void whoWaitedForTheGreetingIsRememberedOnAllNodes() throws Exception {
    exchange();
    assertTrue(two.isToWait(CLIENT));
    one.hasWaited(CLIENT);
    assertFalse(one.isToWait(CLIENT));
    clock.advance(Duration.ofSeconds(10));
    exchange();
    two.exchange();
    assertFalse(two.isToWait(CLIENT));
    clock.advance(Duration.ofDays(31));
    assertTrue(one.isToWait(CLIENT) && two.isToWait(CLIENT));
  }

  @Test
  void aFloodingNetworkIsRefusedOnAllNodesAndItsGoodSourcesAreNot() throws Exception {
    exchange();
    for (int i = 0; i < 30; i++) {
      one.emit(accepted("PASS"));
    }
    InetAddress flooder = InetAddress.ofLiteral("192.0.2.200");
    for (int i = 0; i < limits.flood(); i++) {
      assertFalse(one.floods(flooder));
    }
    assertTrue(one.floods(flooder));
    assertFalse(one.floods(CLIENT), "a good name");
    assertFalse(one.floods(InetAddress.ofLiteral("198.51.100.1")), "another network");
    assertFalse(two.floods(flooder));
    exchange();
    assertTrue(two.floods(flooder));
    clock.advance(Duration.ofMinutes(10));
    assertFalse(two.floods(flooder));
  }

  @Test
  void aFloodIsSeenWhateverElseTheNetworkIsBlockedFor() throws Exception {
    SourceDesk desk = new SourceDesk(database, clock);
    desk.block(SOURCE.network(), Duration.ofDays(2), "abuse");
    exchange();
    assertFalse(one.floods(CLIENT), "a block alone is no flood");
    for (int i = 1; i < limits.flood(); i++) {
      assertFalse(one.floods(CLIENT));
    }
    assertTrue(one.floods(CLIENT));
    exchange();
    assertTrue(two.floods(CLIENT));
    assertEquals("abuse", two.blocked(CLIENT).orElseThrow().why());
    assertEquals(2, desk.account(SOURCE.network()).blocks().size());
    // Each ends at its own time.
    clock.advance(Duration.ofMinutes(10));
    exchange();
    assertFalse(two.floods(CLIENT));
    assertTrue(two.blocked(CLIENT).isPresent());
    // The other way round: who floods can be blocked for more.
    InetAddress six = InetAddress.ofLiteral("2001:db8:7::1");
    for (int i = 0; i <= limits.flood(); i++) {
      one.floods(six);
    }
    assertTrue(one.floods(six));
    assertTrue(one.blocked(six).isEmpty(), "its mail is not to bounce for it");
    for (int net = 1; net <= 5; net++) {
      for (int i = 0; i < 5; i++) {
        unknown(one, InetAddress.ofLiteral("2001:db8:7:" + net + "::1"));
      }
    }
    assertTrue(one.blocked(InetAddress.ofLiteral("2001:db8:7:99::1")).isPresent(), "the /48");
    assertTrue(one.floods(six));
    assertEquals(1, desk.unblock(SOURCE.network()).size());
  }

  /** A transaction that ends long after it wrote. */
  @Test
  void whatShowsItselfLateIsLearnedAllTheSame() throws Exception {
    exchange();
    try (java.sql.Connection late = database.connection()) {
      late.setAutoCommit(false);
      try (java.sql.Statement statement = late.createStatement()) {
        statement.execute(
            "insert into source_block (source, kind, why, offence, since, until, changed_at)"
                + " values ('192.0.2.1', 'HARVEST', 'late', 1, '2026-06-01T08:00Z',"
                + " '2026-06-01T09:00Z', clock_timestamp() - interval '1 hour')");
        statement.execute(
            "insert into recipient_window (subject, slot, known, unknown, members, changed_at)"
                + " select '192.0.2.9', extract(epoch from timestamptz '2026-06-01T08:00Z') / 600,"
                + " 0, 4, '{1,2,3,4}', clock_timestamp() - interval '1 hour'");
      }
      // Other changes go on meanwhile, and are learned at once.
      for (int i = 0; i < 3; i++) {
        InetAddress other = InetAddress.ofLiteral("198.51.100." + i);
        harvest(two, other);
        exchange();
        assertTrue(one.blocked(other).isPresent());
      }
      assertTrue(one.blocked(CLIENT).isEmpty(), "not there yet");
      late.commit();
    }
    exchange();
    assertEquals("late", one.blocked(CLIENT).orElseThrow().why());
    assertEquals("late", two.blocked(CLIENT).orElseThrow().why());
    assertInstanceOf(
        RecipientFinding.Blocked.class, unknown(two, InetAddress.ofLiteral("192.0.2.9")));
  }

  @Test
  void moreChangesThanAPageAreAllLearned() throws Exception {
    exchange();
    int sources = 2 * SourceTable.PAGE + 10;
    try (java.sql.Connection other = database.connection();
        java.sql.Statement statement = other.createStatement()) {
      // One transaction: all have the same number.
      statement.execute(
          "insert into source_block (source, kind, why, offence, since, until, changed_at)"
              + " select '10.' || i / 65536 || '.' || i / 256 % 256 || '.' || i % 256, 'ADMIN',"
              + " 'many', 1, '2026-06-01T08:00Z', '2026-06-01T09:00Z', clock_timestamp()"
              + " from generate_series(1, "
              + sources
              + ") as i");
    }
    one.exchange();
    assertEquals(sources, one.blockedNow());
  }

  @Test
  void whatIsOldOrTooMuchIsRemovedBitByBit() throws Exception {
    exchange();
    int old = 2 * SourcePrune.BATCH + 100;
    try (java.sql.Connection connection = database.connection();
        java.sql.Statement statement = connection.createStatement()) {
      standings(statement, "old", old, 5, "100 days");
      standings(statement, "pass", 50, 0, "31 days");
      standings(statement, "young", 40, 0, "29 days");
      standings(statement, "named", 30, 5, "89 days");
      statement.execute(
          "insert into recipient_window (subject, slot, known, unknown, members, changed_at)"
              + " select case when i <= 20 then 'new' else 'gone' end || i, 1, 0, 1, '{1}',"
              + " clock_timestamp() - case when i <= 20 then interval '1 hour'"
              + " else interval '3 hours' end from generate_series(1, 50) as i");
      clock.advance(Duration.ofHours(1));
      one.exchange();
      assertEquals(120 + old - SourcePrune.BATCH - 50, count(statement, "standing"), "a part");
      for (int turn = 0; turn < 5; turn++) {
        one.exchange();
      }
      assertEquals(70, count(statement, "standing"));
      assertEquals(70, count(statement, "standing where subject ~ '^(young|named)'"));
      assertEquals(20, count(statement, "recipient_window"));
      SourcePrune strict = new SourcePrune(new SourceTable(database), Duration.ofHours(1), 35);
      for (int turn = 0; turn < 5; turn++) {
        strict.step(clock.instant());
      }
      assertEquals(35, count(statement, "standing"));
      assertEquals(30, count(statement, "standing where subject ~ '^named'"), "passes go first");
      assertEquals(20, count(statement, "recipient_window"));
    }
  }

  private static void standings(
      java.sql.Statement statement, String name, int count, int good, String age)
      throws SQLException {
    statement.execute(
        "insert into standing (subject, good, bad, passed_at, changed_at)"
            + " select '%s' || i, %d, 0, 1, clock_timestamp() - interval '%s'"
                .formatted(name, good, age)
            + " from generate_series(1, %d) as i".formatted(count));
  }

  private static int count(java.sql.Statement statement, String from) throws SQLException {
    try (java.sql.ResultSet row = statement.executeQuery("select count(*) from " + from)) {
      assertTrue(row.next());
      return row.getInt(1);
    }
  }

  @Test
  void whatEverybodyKnowsDoesNotSpeakForASource() throws Exception {
    exchange();
    for (String name : List.of("", "ann@example.org")) {
      InetAddress client = InetAddress.ofLiteral("198.51.100." + (name.length() + 1));
      int asked = 0;
      RecipientFinding finding = RecipientFinding.CLEAR;
      while (!(finding instanceof RecipientFinding.Blocked)) {
        assertTrue(++asked <= 6, "asked for " + asked + " beside " + name);
        known(one, client, name);
        known(two, client, name);
        finding = unknown(asked % 2 == 0 ? one : two, client);
        exchange();
      }
    }
    // The control: as many who exist, each another one.
    for (int i = 0; i < 20; i++) {
      known(one, CLIENT, i);
      assertEquals(RecipientFinding.CLEAR, unknown(one, CLIENT));
      known(one, CLIENT, 100 + i);
    }
  }

  @Test
  void thereIsANumberThatNoShareExcuses() throws Exception {
    exchange();
    for (int i = 0; i < limits.harvestMost() - 1; i++) {
      for (int k = 0; k < 10; k++) {
        known(one, CLIENT, 10 * i + k);
      }
      assertEquals(RecipientFinding.CLEAR, unknown(one, CLIENT), "number " + i);
    }
    assertInstanceOf(RecipientFinding.Blocked.class, unknown(one, CLIENT));
    // The control: with a good name there is room for more.
    InetAddress good = InetAddress.ofLiteral("198.51.100.7");
    for (int i = 0; i < 30; i++) {
      one.emit(accepted(good, "PASS"));
    }
    for (int i = 0; i < 2 * limits.harvestMost(); i++) {
      for (int k = 0; k < 10; k++) {
        known(one, good, 10 * i + k);
      }
      assertEquals(RecipientFinding.CLEAR, unknown(one, good), "number " + i);
    }
  }

  @Test
  void memoryIsBoundedWhateverComes() {
    Sources small =
        new Sources(
            TestConfig.limits("remembered_sources = 1000"),
            List.of(),
            KEY,
            database,
            events::add,
            clock);
    for (int i = 0; i < 100_000; i++) {
      InetAddress client = InetAddress.ofLiteral("2001:db8:%x:%x::1".formatted(i >> 8, i & 0xff));
      small.recipient(client, new AskedRecipient("example.org", true, "u" + i), () -> false);
      small.connect(client);
      small.floods(client);
    }
    net.postern.testkit.Await.until(() -> small.remembered() < 2_000);
  }

  private static MailEvent.Peer peer() {
    return new MailEvent.Peer(CLIENT.getHostAddress(), "client.example", "");
  }

  private static MailEvent accepted(String verdict) {
    return accepted(CLIENT, verdict);
  }

  private static MailEvent accepted(InetAddress client, String verdict) {
    return accepted(client, verdict, verdict);
  }

  private static MailEvent accepted(InetAddress client, String verdict, String unwaived) {
    return new MailEvent.Accepted(
        MessageId.create(),
        CustomerId.create(),
        new MailEvent.Peer(client.getHostAddress(), "client.example", ""),
        "a@client.example",
        List.of("b@example.org"),
        1000,
        verdict,
        unwaived,
        0,
        List.of(),
        3,
        Duration.ofMillis(1));
  }

  private static MailEvent refused(Reason reason) {
    return new MailEvent.Refused(
        Stage.RCPT,
        reason,
        550,
        "5.7.1",
        "No.",
        peer(),
        "",
        "",
        Optional.empty(),
        Reference.of(reason, Instant.parse("2026-06-01T08:00:00Z")));
  }
}
