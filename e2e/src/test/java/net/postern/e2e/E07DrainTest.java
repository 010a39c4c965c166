package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import net.postern.testkit.Await;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The node is stopped with SIGTERM under load and started again, as an upgrade does: sessions hear
 * {@code 421}, nothing is in doubt, nothing is delivered twice, and what was not delivered before
 * the end is delivered after the next start.
 */
@Isolated("it wants the processors for itself")
class E07DrainTest {
  private static final int MOST_MESSAGES = 200_000;
  private static final Duration DRAIN = Duration.ofSeconds(30);

  /** After the drain, what is under way has to end, and PostgreSQL to write what it holds. */
  private static final Duration STOP = DRAIN.plusSeconds(40);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void twoUpgradesUnderLoad() throws IOException, InterruptedException {
    upgrade(2);
  }

  @Test
  @Tag("long")
  void fiveUpgradesUnderLoad() throws IOException, InterruptedException {
    upgrade(5);
  }

  private static void upgrade(int rounds) throws IOException, InterruptedException {
    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e07")) {
      node.set("node", "drain", "\"" + DRAIN.toSeconds() + "s\"");
      node.start();
      node.routeTo(sink.port());
      MailLoad.Plan plan =
          new MailLoad.Plan(16, MOST_MESSAGES, 4_000, "user@" + NodeProcess.DOMAIN)
              .pausing(Duration.ofMillis(10));
      Duration longest = Duration.ZERO;
      try (MailLoad load = MailLoad.start(node::smtp, plan)) {
        for (int round = 0; round < rounds; round++) {
          int acknowledged = load.acknowledged();
          int told = load.refusals("421");
          Await.until(PATIENCE, () -> load.acknowledged() > acknowledged + 200);
          long start = System.nanoTime();
          int code = node.stop(STOP);
          Duration took = Duration.ofNanos(System.nanoTime() - start);
          longest = took.compareTo(longest) > 0 ? took : longest;
          assertEquals(0, code, node::endOfLog);
          // The replies are on their way; PostgreSQL's last child may be, too.
          Await.until(PATIENCE, () -> load.refusals("421") > told);
          Await.until(PATIENCE, () -> node.postgresPid().isEmpty());
          node.start();
        }
        int acknowledged = load.acknowledged();
        Await.until(PATIENCE, () -> load.acknowledged() > acknowledged + 200);
        load.stop(PATIENCE);
        Await.until(PATIENCE, () -> missing(load, sink) == 0);
        String ledger = E02CrashTest.untilNothingWaits(node);
        assertTrue(ledger.contains("balance: 0"), ledger);
        assertEquals(List.of(), load.refusedForGood());
        assertEquals(
            0,
            load.doubts(),
            () -> "sessions were cut between a message and its reply: " + load.doubtCauses());
        assertEquals(sink.distinct(), sink.total(), "something was delivered twice");
        System.out.println(
            "E07: %d restarts by SIGTERM, longest stop %d ms; %d messages got 250, 0 lost, 0 in doubt, 0 copies too many; refusals %s; balance 0"
                .formatted(rounds, longest.toMillis(), load.acknowledged(), load.refusals()));
      }
    }
  }

  private static int missing(MailLoad load, MailSink sink) {
    int missing = 0;
    for (int id = 0; id < MOST_MESSAGES; id++) {
      missing += load.isAcknowledged(id) && sink.arrivals(id).isEmpty() ? 1 : 0;
    }
    return missing;
  }
}
