package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import net.postern.testkit.Await;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Stores go away while mail flows, as a disk does that drops off the bus. With two left mail goes
 * on and there is an alarm; with one left the reply is {@code 451}; when they come back they are
 * brought up to date by themselves, even one that comes back empty.
 */
@Isolated("it measures what happens within seconds")
class E06LostStoreTest {
  private static final int MOST_MESSAGES = 100_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void storesGoAndComeBack() throws IOException, InterruptedException {
    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e06")) {
      node.start();
      node.routeTo(sink.port());
      Path two = node.stores().get(1);
      Path three = node.stores().get(2);
      MailLoad.Plan plan =
          new MailLoad.Plan(8, MOST_MESSAGES, 4_000, "user@" + NodeProcess.DOMAIN)
              .pausing(Duration.ofMillis(20));
      try (MailLoad load = MailLoad.start(node::smtp, plan)) {
        untilMore(load, 200);
        assertEquals(3, node.metric("postern_vault_stores_up"));
        assertEquals(0, node.metric("postern_accepted_total{copies=\"2\"}"), node.page("/metrics"));

        // One goes: mail goes on with two copies, and says so.
        Path away = node.directory().resolve("store-2-away");
        Files.move(two, away);
        Await.until(PATIENCE, () -> node.metric("postern_vault_stores_up") == 2);
        untilMore(load, 200);
        assertEquals(0, load.refusals("4"), load.refusals()::toString);
        Await.until(PATIENCE, () -> node.logOfRun().contains("copies=2"));
        assertEquals(0, node.metric("postern_store_up{store=\"store-2\"}"));
        Await.until(
            PATIENCE,
            () ->
                node.logOfRun()
                    .lines()
                    .anyMatch(
                        line ->
                            line.contains("WARN")
                                && line.contains("event=store store=store-2 up=false")));

        // The next one goes, for good: nothing is acknowledged any more.
        Machine.run("rm", "-rf", three.toString());
        Await.until(PATIENCE, () -> load.refusals("451 4.3") > 20);
        Await.until(PATIENCE, () -> node.status("/ready") == 503);
        // What was on its way to the store when it went may have got there.
        load.awaitReplies(PATIENCE);
        int acknowledged = load.acknowledged();
        int refused = load.refusals("451 4.3");
        Await.until(PATIENCE, () -> load.refusals("451 4.3") > refused + 50);
        assertEquals(acknowledged, load.acknowledged());
        assertEquals(503, node.status("/ready"));
        assertTrue(!Files.exists(three), "a store that is gone was replaced by an empty one");

        // Both come back, one of them empty as a new disk is: they get what they lack without a
        // restart, and without a new message that would begin a new segment.
        load.stop(PATIENCE);
        Files.move(away, two);
        Files.createDirectory(three);
        Await.until(PATIENCE, () -> node.metric("postern_vault_stores_up") == 3);
        node.awaitReady(PATIENCE);
        node.awaitEqualStores(PATIENCE);

        // The control: mail flows as before.
        Await.until(PATIENCE, () -> missing(load, sink) == 0);
        int before = sink.total();
        try (MailLoad more =
            MailLoad.start(
                node::smtp, new MailLoad.Plan(8, 200, 4_000, "user@" + NodeProcess.DOMAIN))) {
          more.awaitAll(PATIENCE);
          assertEquals(Map.of(), more.refusals());
          Await.until(PATIENCE, () -> sink.total() == before + 200);
        }
        String ledger = E02CrashTest.untilNothingWaits(node);
        assertTrue(ledger.contains("balance: 0"), ledger);
        assertEquals(List.of(), load.refusedForGood());
        // The journal goes on: it writes to one store after the other.
        node.awaitEqualStores(PATIENCE);
        System.out.println(
            "E06: %d messages got 250, 0 lost, %d copies too many; refusals %s; %.0f objects copied to stores that lacked them; stores equal without a restart"
                .formatted(
                    load.acknowledged() + 200,
                    sink.total() - 200 - sink.distinct(),
                    load.refusals(),
                    node.metric("postern_vault_repaired")));
      }
    }
  }

  private static void untilMore(MailLoad load, int more) {
    int before = load.acknowledged();
    Await.until(PATIENCE, () -> load.acknowledged() >= before + more);
  }

  private static int missing(MailLoad load, MailSink sink) {
    int missing = 0;
    for (int id = 0; id < MOST_MESSAGES; id++) {
      missing += load.isAcknowledged(id) && sink.arrivals(id).isEmpty() ? 1 : 0;
    }
    return missing;
  }
}
