package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import net.postern.testkit.Await;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The node, or its PostgreSQL, is killed again and again while mail flows: whatever got its {@code
 * 250} arrives, and every copy too many has an explanation.
 *
 * <p>Two explanations exist. <em>In doubt</em>: the node died between keeping the message and its
 * reply, so the client rightly sent it again, and both were delivered, under two queue ids.
 * <em>Unsettled</em>: the node died between the next hop's {@code 250} and noting it, so it sent
 * the message again, under the same queue id. SMTP has no way to avoid either (RFC 1047).
 */
@Isolated("it wants the processors for itself")
class E02CrashTest {
  private static final int CONNECTIONS = 20;
  private static final int MOST_MESSAGES = 200_000;

  /** Settlement is a group commit, so what died with the node was delivered shortly before. */
  private static final Duration UNSETTLED = Duration.ofSeconds(30);

  private static final Duration IN_SOCKETS = Duration.ofSeconds(5);

  @Test
  void nothingIsLostWhenNodeAndDatabaseAreKilled() throws IOException, InterruptedException {
    killAndCount(3, 1, 500);
  }

  @Test
  @Tag("long")
  void nothingIsLostWhenTheyAreKilledTwentyFiveTimes() throws IOException, InterruptedException {
    killAndCount(20, 5, 10_000);
  }

  /** Whom a kill hits. */
  private enum Victim {
    NODE,
    POSTGRES
  }

  /** From the signal until the process was gone, in {@link System#nanoTime}. */
  private record Kill(Victim victim, long from, long to) {}

  private static void killAndCount(int nodeKills, int postgresKills, int messages)
      throws IOException, InterruptedException {
    long seed = Long.getLong("postern.e2e.seed", System.nanoTime());
    System.out.println("E02 seed " + seed + " (-Dpostern.e2e.seed=... repeats it)");
    Random random = new Random(seed);
    List<Victim> victims = new ArrayList<>(Collections.nCopies(nodeKills, Victim.NODE));
    victims.addAll(Collections.nCopies(postgresKills, Victim.POSTGRES));
    Collections.shuffle(victims, random);

    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e02")) {
      node.start();
      node.routeTo(sink.port());
      MailLoad.Plan plan =
          new MailLoad.Plan(CONNECTIONS, MOST_MESSAGES, 2_000, "user@" + NodeProcess.DOMAIN)
              .pausing(Duration.ofMillis(10));
      List<Kill> kills = new ArrayList<>();
      try (MailLoad load = MailLoad.start(node::smtp, plan)) {
        for (Victim victim : victims) {
          untilMailFlows(node, load, sink);
          moment(random);
          switch (victim) {
            case NODE -> {
              long from = System.nanoTime();
              node.kill();
              kills.add(new Kill(victim, from, System.nanoTime()));
              node.start();
            }
            case POSTGRES -> {
              long from = System.nanoTime();
              long dead = node.killPostgres();
              kills.add(new Kill(victim, from, System.nanoTime()));
              Await.until(
                  Duration.ofSeconds(60),
                  () -> node.postgresPid().orElse(dead) != dead && node.status("/ready") == 200);
            }
          }
        }
        Await.until(Duration.ofMinutes(3), () -> load.acknowledged() >= messages);
        load.stop(Duration.ofSeconds(90));

        assertEquals(List.of(), load.refusedForGood());
        untilAllArrived(load, sink);
        String ledger = untilNothingWaits(node);
        assertTrue(ledger.contains("balance: 0"), ledger);
        Counted counted = count(load, sink, kills);

        assertEquals(0, node.stop(Duration.ofSeconds(60)), node::endOfLog);
        node.start();
        node.awaitEqualStores(Duration.ofSeconds(60));
        assertEquals(counted.total(), sink.total(), "delivered again after a clean stop");

        System.out.println(
            "E02 seed %d: %d kills of the node, %d of PostgreSQL; %d messages got 250, %d lost; in doubt %d; %d arrivals: %d copies too many by doubt, %d by unsettled delivery; refusals %s; balance 0; stores equal"
                .formatted(
                    seed,
                    nodeKills,
                    postgresKills,
                    load.acknowledged(),
                    counted.lost(),
                    load.doubts(),
                    counted.total(),
                    counted.byDoubt(),
                    counted.unsettled(),
                    load.refusals()));
      }
    }
  }

  private static void untilMailFlows(NodeProcess node, MailLoad load, MailSink sink) {
    int acknowledged = load.acknowledged();
    int arrived = sink.total();
    try {
      Await.until(
          Duration.ofSeconds(60),
          () -> load.acknowledged() > acknowledged && sink.total() > arrived);
    } catch (AssertionError e) {
      throw new AssertionError(
          "mail does not flow: %d acknowledged, refusals %s, %d arrived; ready: %s%n%s"
              .formatted(
                  load.acknowledged() - acknowledged,
                  load.refusals(),
                  sink.total() - arrived,
                  node.page("/ready"),
                  node.endOfLog()),
          e);
    }
  }

  private static void moment(Random random) {
    long then = System.nanoTime() + Duration.ofMillis(random.nextInt(1_200)).toNanos();
    Await.until(() -> System.nanoTime() >= then);
  }

  static void untilAllArrived(MailLoad load, MailSink sink) {
    Await.until(
        Duration.ofMinutes(3),
        () -> {
          for (int id = 0; id < MOST_MESSAGES; id++) {
            if (load.isAcknowledged(id) && sink.arrivals(id).isEmpty()) {
              return false;
            }
          }
          return true;
        });
  }

  /** Waits until the ledger has no delivery that is still to come; returns its last account. */
  static String untilNothingWaits(NodeProcess node) throws IOException, InterruptedException {
    long end = System.nanoTime() + Duration.ofMinutes(3).toNanos();
    while (true) {
      String account = node.admin("ledger", "check").out();
      String row = account.lines().filter(line -> line.startsWith("acme")).findFirst().orElse("");
      String[] columns = row.strip().split("\\s+");
      // customer, messages, accepted, delivered, held, waiting
      if (columns.length > 5 && columns[5].equals("0")) {
        return account;
      }
      if (System.nanoTime() > end) {
        throw new AssertionError("deliveries still wait:\n" + account + node.endOfLog());
      }
    }
  }

  private record Counted(int lost, int total, int byDoubt, int unsettled) {}

  private static Counted count(MailLoad load, MailSink sink, List<Kill> kills) {
    int lost = 0;
    int total = 0;
    int byDoubt = 0;
    int unsettled = 0;
    for (int id = 0; id < MOST_MESSAGES; id++) {
      List<MailSink.Arrival> arrivals = sink.arrivals(id);
      total += arrivals.size();
      if (arrivals.isEmpty()) {
        lost += load.isAcknowledged(id) ? 1 : 0;
        continue;
      }
      TreeSet<String> queueIds = new TreeSet<>();
      for (int i = 0; i < arrivals.size(); i++) {
        if (!queueIds.add(arrivals.get(i).queueId())) {
          unsettled++;
          explainUnsettled(arrivals, i, kills);
        }
      }
      byDoubt += queueIds.size() - 1;
      int sent = (load.isAcknowledged(id) ? 1 : 0) + load.doubts(id);
      assertTrue(
          queueIds.size() <= sent,
          "message %d: %d queue ids, but it was sent to its end only %d times"
              .formatted(id, queueIds.size(), sent));
    }
    assertEquals(0, lost, "messages got 250 and did not arrive");
    assertEquals(sink.total(), total);
    return new Counted(lost, total, byDoubt, unsettled);
  }

  // Between two deliveries of one message the node died, shortly after the first.
  private static void explainUnsettled(
      List<MailSink.Arrival> arrivals, int again, List<Kill> kills) {
    MailSink.Arrival second = arrivals.get(again);
    MailSink.Arrival first = second;
    for (int i = 0; i < again; i++) {
      if (arrivals.get(i).queueId().equals(second.queueId())) {
        first = arrivals.get(i);
      }
    }
    // What was in the sockets when it died may be read later, by a sink that has to come to run.
    long delivered = first.nanos() - IN_SOCKETS.toNanos();
    long latest = Math.min(second.nanos(), first.nanos() + UNSETTLED.toNanos());
    assertTrue(
        kills.stream()
            .anyMatch(
                kill ->
                    kill.victim() == Victim.NODE && kill.to() > delivered && kill.from() < latest),
        "message %d was delivered twice without a kill of the node in between: %s, kills %s"
            .formatted(second.number(), arrivals, kills));
  }
}
