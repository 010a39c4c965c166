package net.postern.ledger;

import static net.postern.ledger.LedgerWorld.key;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Execution(ExecutionMode.CONCURRENT)
class LedgerTest {
  private final LedgerWorld world = new LedgerWorld();

  @AfterEach
  void close() {
    world.close();
  }

  /** The transitions of docs/ledger.md: what each settlement makes of each state. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # settlement,  from,        lease of, becomes
          DELIVERED,     IN_PROGRESS, us,       DELIVERED
          DELIVERED,     IN_PROGRESS, another,  IN_PROGRESS
          DELIVERED,     WAITING,     nobody,   WAITING
          DELIVERED,     HELD,        nobody,   HELD
          DELIVERED,     RETURNED,    nobody,   RETURNED
          DELIVERED,     REMOVED,     nobody,   REMOVED
          RETRY,         IN_PROGRESS, us,       WAITING
          RETRY,         IN_PROGRESS, another,  IN_PROGRESS
          RETRY,         WAITING,     nobody,   WAITING
          RETRY,         HELD,        nobody,   HELD
          RETRY,         DELIVERED,   nobody,   DELIVERED
          RETRY,         RETURNED,    nobody,   RETURNED
          RETRY,         REMOVED,     nobody,   REMOVED
          RETURNED,      IN_PROGRESS, us,       RETURNED
          RETURNED,      IN_PROGRESS, another,  IN_PROGRESS
          RETURNED,      WAITING,     nobody,   WAITING
          RETURNED,      HELD,        nobody,   HELD
          RETURNED,      DELIVERED,   nobody,   DELIVERED
          RETURNED,      REMOVED,     nobody,   REMOVED
          UNATTEMPTED,   IN_PROGRESS, us,       WAITING
          UNATTEMPTED,   IN_PROGRESS, another,  IN_PROGRESS
          UNATTEMPTED,   WAITING,     nobody,   WAITING
          UNATTEMPTED,   HELD,        nobody,   HELD
          UNATTEMPTED,   DELIVERED,   nobody,   DELIVERED
          UNATTEMPTED,   RETURNED,    nobody,   RETURNED
          UNATTEMPTED,   REMOVED,     nobody,   REMOVED
          """)
  void settlementsDoWhatTheTableSays(
      String settlement, DeliveryState from, String lease, DeliveryState becomes) throws Exception {
    MessageRecord message = world.message(DeliveryState.IN_PROGRESS);
    world.enter(message);
    DeliveryKey key = key(message, 0);
    world.sql(
        "update delivery set state = ?, node = case when ? then node end where message_id = ?",
        from.code(),
        lease.equals("us"),
        message.id().value());
    if (lease.equals("another")) {
      world.expire(key);
      assertEquals(1, world.two.lease(10, LedgerWorld.LEASE).size());
    }
    int before = world.view(key).steps().size();
    MessageRecord report = world.message(DeliveryState.WAITING);
    Instant later = Instant.now().plus(Duration.ofHours(1));
    world.settle(
        world.one,
        switch (settlement) {
          case "DELIVERED" -> new Settlement.Delivered(key, "250 ok");
          case "RETRY" -> new Settlement.Retry(key, "451 later", later);
          case "RETURNED" -> new Settlement.Returned(key, "550 no", Optional.of(report));
          default -> new Settlement.Unattempted(key);
        });
    MessageView view = world.view(key);
    assertEquals(becomes, view.state());
    boolean took = lease.equals("us");
    boolean counted = took && !settlement.equals("UNATTEMPTED");
    assertEquals(counted ? 1 : 0, view.attempts());
    boolean told = took && (settlement.equals("RETRY") || settlement.equals("RETURNED"));
    assertEquals(before + (told ? 1 : 0), view.steps().size(), "the trace tells what took effect");
    boolean reported = took && settlement.equals("RETURNED");
    assertEquals(
        reported ? 1 : 0, new MessageQueries(world.database).find(report.id()).size(), "report");
    assertEquals(0, world.balance().difference());
  }

  /** Promise 2 is a query that sees a lost row and a made-up one, and nothing where all is well. */
  @Test
  void theBalanceSeesWhatVanishedAndWhatWasMadeUp() throws Exception {
    MessageRecord message =
        world.message(DeliveryState.HELD, DeliveryState.WAITING, DeliveryState.REMOVED);
    world.enter(message, world.message(DeliveryState.IN_PROGRESS));
    Balance good = world.balance();
    assertEquals(0, good.difference());
    assertEquals(
        List.of(2L, 4L, 0L, 1L, 2L, 0L, 1L),
        List.of(
            good.messages(),
            good.accepted(),
            good.delivered(),
            good.held(),
            good.waiting(),
            good.returned(),
            good.removed()));
    assertEquals(List.of(), Balance.unbalanced(world.database, 10));

    world.sql("delete from delivery where message_id = ? and number = 0", message.id().value());
    assertEquals(1, world.balance().difference());
    assertEquals(List.of(message.id()), Balance.unbalanced(world.database, 10));
    world.sql("delete from message where id = ?", message.id().value());
    assertEquals(-2, world.balance().difference());
  }

  /** Two nodes that take work at the same time never get the same delivery. */
  @Test
  void aDeliveryIsLeasedOnce() throws Exception {
    int messages = 200;
    List<CompletableFuture<Void>> entered = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      entered.add(
          world.one.record(
              List.of(world.message(DeliveryState.WAITING, DeliveryState.WAITING)), () -> {}));
    }
    for (CompletableFuture<Void> each : entered) {
      each.get(20, TimeUnit.SECONDS);
    }
    List<DeliveryKey> leased = Collections.synchronizedList(new ArrayList<>());
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (Ledger node : List.of(world.one, world.two, world.one, world.two)) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      // Rows that another is taking are passed over, so empty may not mean done.
                      while (leased.size() < 2 * messages) {
                        node.lease(7, LedgerWorld.LEASE).forEach(each -> leased.add(each.key()));
                      }
                    } catch (LedgerUnavailableException | RuntimeException e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      assertTrue(thread.join(Duration.ofSeconds(20)));
    }
    assertEquals(List.of(), failures);
    assertEquals(2 * messages, leased.size());
    assertEquals(2 * messages, new HashSet<>(leased).size());
    assertEquals(List.of(), world.two.lease(10, LedgerWorld.LEASE));
  }

  @Test
  void aLeaseThatRanOutIsTakenOverAndTheLateNodeIsIgnored() throws Exception {
    MessageRecord message = world.message(DeliveryState.WAITING);
    world.enter(message);
    DeliveryKey key = key(message, 0);
    LeasedDelivery first = world.one.lease(10, LedgerWorld.LEASE).getFirst();
    assertEquals(key, first.key());
    assertEquals(1, first.attempt());
    assertEquals(List.of(), world.two.lease(10, LedgerWorld.LEASE), "the control: it is leased");
    world.expire(key);
    assertEquals(key, world.two.lease(10, LedgerWorld.LEASE).getFirst().key());
    world.settle(world.one, new Settlement.Returned(key, "550 late", Optional.empty()));
    assertEquals(DeliveryState.IN_PROGRESS, world.state(key));
    world.settle(world.two, new Settlement.Delivered(key, "250 ok"));
    assertEquals(DeliveryState.DELIVERED, world.state(key));
    world.settle(world.one, new Settlement.Retry(key, "451 later still", Instant.now()));
    assertEquals(DeliveryState.DELIVERED, world.state(key));
    assertEquals("250 ok", world.view(key).reply());
  }

  @Test
  void whatIsDueIsLeasedInOrderAndNotBefore() throws Exception {
    MessageRecord held = world.message(DeliveryState.HELD);
    MessageRecord first = world.message(DeliveryState.WAITING);
    MessageRecord second = world.message(DeliveryState.WAITING);
    assertEquals(Instant.MAX, world.one.nextDue());
    world.enter(held, second, first);
    world.sql(
        "update delivery set due_at = now() + interval '1 hour' where message_id = ?",
        second.id().value());
    assertTrue(world.one.nextDue().isBefore(Instant.now()));
    List<LeasedDelivery> leased = world.one.lease(10, Duration.ofHours(2));
    assertEquals(List.of(key(first, 0)), leased.stream().map(LeasedDelivery::key).toList());
    assertEquals(first.place(), leased.getFirst().place());
    assertEquals(first.reversePath(), leased.getFirst().reversePath());
    Instant due = world.one.nextDue();
    assertTrue(due.isAfter(Instant.now().plus(Duration.ofMinutes(50))), due::toString);
    assertTrue(due.isBefore(Instant.now().plus(Duration.ofMinutes(70))), due::toString);
  }

  /** A row that cannot be read is no reason to deliver nothing. */
  @Test
  void oneUnreadableRowDoesNotHoldUpTheRest() throws Exception {
    MessageRecord bad = world.message(DeliveryState.WAITING);
    MessageRecord good = world.message(DeliveryState.WAITING);
    world.enter(bad, good);
    world.sql("update delivery set recipient = 'x' where message_id = ?", bad.id().value());
    List<LeasedDelivery> leased = world.one.lease(10, LedgerWorld.LEASE);
    assertEquals(List.of(key(good, 0)), leased.stream().map(LeasedDelivery::key).toList());
  }

  @Test
  void aNodeThatDiedTakesBackItsOwnLeasesOnly() throws Exception {
    MessageRecord mine = world.message(DeliveryState.IN_PROGRESS);
    MessageRecord theirs = world.message(DeliveryState.WAITING);
    world.enter(mine, theirs);
    assertEquals(1, world.two.lease(10, LedgerWorld.LEASE).size());
    assertEquals(1, world.one.recoverLeases());
    assertEquals(DeliveryState.WAITING, world.state(key(mine, 0)));
    assertEquals(DeliveryState.IN_PROGRESS, world.state(key(theirs, 0)));
    assertEquals(0, world.one.recoverLeases());
  }

  /**
   * Entering twice, as the reconciler may, changes nothing: neither counts nor what happened since.
   */
  @Test
  void theSameMessageTwiceIsOneMessage() throws Exception {
    MessageRecord message = world.message(DeliveryState.IN_PROGRESS, DeliveryState.HELD);
    world.enter(message);
    world.settle(world.one, new Settlement.Delivered(key(message, 0), "250 ok"));
    world.enter(message.withoutLeases(), message);
    assertEquals(DeliveryState.DELIVERED, world.state(key(message, 0)));
    assertEquals(1, world.balance().messages());
    assertEquals(0, world.balance().difference());
  }

  /** What the database will never take does not keep what shares its transaction from going in. */
  @Test
  void oneBadRecordDoesNotTakeItsGroupDown() throws Exception {
    // number is a smallint: the bad message has one recipient too many for it.
    DeliveryState[] tooMany = new DeliveryState[32_770];
    java.util.Arrays.fill(tooMany, DeliveryState.WAITING);
    MessageRecord bad = world.message(tooMany);
    List<MessageRecord> good = new ArrayList<>();
    List<CompletableFuture<Void>> commits = new ArrayList<>();
    AtomicInteger told = new AtomicInteger();
    TestDatabase.takeAway(world.database);
    // While the database is away these gather into one group.
    commits.add(world.one.record(List.of(world.message(DeliveryState.WAITING)), () -> {}));
    Await.until(world.one::away);
    CompletableFuture<Void> refused = world.one.record(List.of(bad), told::incrementAndGet);
    for (int i = 0; i < 20; i++) {
      good.add(world.message(DeliveryState.WAITING));
      commits.add(world.one.record(List.of(good.getLast()), told::incrementAndGet));
    }
    TestDatabase.bringBack(world.database);
    for (CompletableFuture<Void> each : commits) {
      each.get(30, TimeUnit.SECONDS);
    }
    assertThrows(ExecutionException.class, () -> refused.get(30, TimeUnit.SECONDS));
    assertEquals(20, told.get());
    for (MessageRecord each : good) {
      assertEquals(DeliveryState.WAITING, world.state(key(each, 0)));
    }
    assertEquals(List.of(), new MessageQueries(world.database).find(bad.id()));
    assertEquals(0, world.balance().difference());
  }

  /** While the database is away nothing is given up, in order, and health says so. */
  @Test
  void whatIsToBeEnteredWaitsForTheDatabase() throws Exception {
    MessageRecord before = world.message(DeliveryState.IN_PROGRESS);
    world.enter(before);
    TestDatabase.takeAway(world.database);
    CompletableFuture<Void> outcome =
        world.one.settle(new Settlement.Delivered(key(before, 0), "250 ok"));
    MessageRecord during = world.message(DeliveryState.WAITING);
    CompletableFuture<Void> entered = world.one.record(List.of(during), () -> {});
    Await.until(world.one::away);
    assertThrows(LedgerUnavailableException.class, () -> world.one.lease(10, LedgerWorld.LEASE));
    assertFalse(outcome.isDone());
    assertFalse(entered.isDone());
    TestDatabase.bringBack(world.database);
    outcome.get(30, TimeUnit.SECONDS);
    entered.get(30, TimeUnit.SECONDS);
    assertFalse(world.one.away());
    assertEquals(DeliveryState.DELIVERED, world.state(key(before, 0)));
    assertEquals(DeliveryState.WAITING, world.state(key(during, 0)));
  }

  @Test
  void closingWhileTheDatabaseIsAwayEndsSoonAndSaysSo() throws Exception {
    Ledger ledger = new Ledger(world.database, java.util.UUID.randomUUID(), LedgerWorld.LEASE);
    TestDatabase.takeAway(world.database);
    List<CompletableFuture<Void>> commits = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      commits.add(ledger.record(List.of(world.message(DeliveryState.WAITING)), () -> {}));
    }
    Await.until(ledger::away);
    long start = System.nanoTime();
    ledger.close();
    assertTrue(Duration.ofNanos(System.nanoTime() - start).compareTo(Duration.ofSeconds(15)) < 0);
    for (CompletableFuture<Void> each : commits) {
      assertTrue(each.isCompletedExceptionally());
    }
    TestDatabase.bringBack(world.database);
  }

  /** What follows a commit belongs to one message; when it fails, the others still hear. */
  @Test
  void aFailingDispatchDoesNotFailItsGroup() throws Exception {
    CompletableFuture<Void> one =
        world.one.record(
            List.of(world.message(DeliveryState.WAITING)),
            () -> {
              throw new IllegalStateException("as ordered");
            });
    AtomicInteger told = new AtomicInteger();
    CompletableFuture<Void> two =
        world.one.record(List.of(world.message(DeliveryState.WAITING)), told::incrementAndGet);
    one.get(20, TimeUnit.SECONDS);
    two.get(20, TimeUnit.SECONDS);
    assertEquals(1, told.get());
  }

  @Test
  void textThatPostgresqlRefusesIsMadeFit() throws Exception {
    MessageRecord message =
        world.message(world.customer, "nul\0helo \ud800 \u202e", DeliveryState.IN_PROGRESS);
    world.enter(message);
    world.settle(
        world.one, new Settlement.Delivered(key(message, 0), "250 \0" + "x".repeat(5_000)));
    assertTrue(world.view(key(message, 0)).helo().startsWith("nul\ufffdhelo"));
    assertEquals(500, world.view(key(message, 0)).reply().length());
  }

  /** Released after a long time in quarantine, a message is tried as long as a fresh one. */
  @Test
  void releaseStartsTheTimeForTryingAnew() throws Exception {
    MessageRecord message = world.message(DeliveryState.HELD, DeliveryState.HELD);
    world.enter(message);
    world.sql(
        "update message set accepted_at = accepted_at - interval '30 days' where id = ?",
        message.id().value());
    world.sql(
        "update delivery set give_up_at = give_up_at - interval '30 days' where message_id = ?",
        message.id().value());
    MessageQueries queries = new MessageQueries(world.database);
    assertEquals(2, queries.held(Optional.of(world.customer), 10).size());
    assertEquals(0, queries.held(Optional.of(CustomerId.create()), 10).size());
    assertEquals(1, queries.release(message.id(), Optional.of(1), "ann").size());
    assertEquals(0, queries.release(message.id(), Optional.of(1), "ann").size(), "only once");
    LeasedDelivery leased = world.one.lease(10, LedgerWorld.LEASE).getFirst();
    assertEquals(key(message, 1), leased.key());
    assertTrue(leased.giveUpAt().isAfter(Instant.now().plus(Duration.ofDays(4))), leased::toString);
    assertEquals(1, queries.delete(message.id(), Optional.empty(), "bob").size());
    MessageView deleted = world.view(key(message, 0));
    assertEquals(DeliveryState.REMOVED, deleted.state());
    assertEquals("deleted from quarantine", deleted.rule());
    assertEquals(1, deleted.steps().size());
    assertEquals(0, world.balance().difference());
  }

  @Test
  void segmentsAndMissingMessages() throws Exception {
    SegmentTable table = new SegmentTable(world.database);
    java.util.UUID segment = java.util.UUID.randomUUID();
    assertFalse(table.recorded().contains(segment));
    table.markRecorded(segment);
    table.markRecorded(segment);
    assertTrue(table.recorded().contains(segment));
    MessageRecord known = world.message(DeliveryState.WAITING);
    world.enter(known);
    MessageId unknown = MessageId.create();
    assertEquals(
        java.util.Set.of(unknown), table.missing(List.of(known.id(), unknown, known.id())));
  }
}
