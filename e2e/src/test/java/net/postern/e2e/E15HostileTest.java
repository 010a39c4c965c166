package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import net.postern.testkit.Await;
import net.postern.testkit.HostileClients.Kind;
import net.postern.testkit.HostileProcess;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Clients of one network do all the harm they can: 100,000 connections a minute, lines and headers
 * without end, handshakes without end, silence, deafness, garbage. Memory stays as it is, and other
 * people's mail flows as it does without them.
 */
@Isolated("it measures")
class E15HostileTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final int FLOOD_PER_MINUTE = 100_000;

  /**
   * Mail comes at a fixed pace, far below what the machine can do: an attack costs processor too.
   */
  private static final int CONNECTIONS = 10;

  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final double MOST_SLOWER = 1.10;

  @Test
  @Tag("long")
  void aShortAttack() throws Exception {
    attack(2_000);
  }

  @Test
  @Tag("long")
  void aLongAttack() throws Exception {
    attack(30_000);
  }

  private static void attack(int messages) throws Exception {
    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e15")) {
      node.jvm("-Xmx512m");
      // By default nothing on loopback is limited; the attackers are in another part of it.
      node.set("edge", "unlimited_sources", "[\"127.0.0.0/16\"]");
      node.set("limits", "exempt", "[\"127.0.0.0/16\"]");
      node.start();
      node.routeTo(sink.port());
      double _ = send(node, 2_000);
      double alone = send(node, messages);
      long heapBefore = E03IdleTest.heapMegabytes(node);
      long residentBefore = node.residentMegabytes();
      double beside;
      long heap;
      long resident;
      Map<Kind, Integer> clients = new EnumMap<>(Kind.class);
      for (Kind kind : Kind.values()) {
        clients.put(kind, kind == Kind.CONNECT_FLOOD ? 20 : 5);
      }
      double flood;
      try (HostileProcess hostile =
          HostileProcess.start(node.smtp(), clients, FLOOD_PER_MINUTE, PATIENCE)) {
        for (Kind kind : Kind.values()) {
          Await.until(() -> hostile.report().of(kind).connections() > 0);
        }
        long start = System.nanoTime();
        long floodBefore = hostile.report().of(Kind.CONNECT_FLOOD).connections();
        beside = send(node, messages);
        double minutes = (System.nanoTime() - start) / 60e9;
        HostileProcess.Report report = hostile.report();
        flood = (report.of(Kind.CONNECT_FLOOD).connections() - floodBefore) / minutes;
        heap = E03IdleTest.heapMegabytes(node);
        resident = node.residentMegabytes();
        StringBuilder tallies = new StringBuilder();
        for (Kind kind : Kind.values()) {
          tallies.append(" ").append(kind).append('=').append(report.of(kind));
        }
        System.out.printf(
            "E15: alone %.2f s, attacked %.2f s for %d messages; %.0f connects a minute; heap after"
                + " GC %d MB, %d before; resident %d MB, %d before;%s%n",
            alone, beside, messages, flood, heap, heapBefore, resident, residentBefore, tallies);
        assertEquals(0, report.injected(), "commands from before TLS were obeyed");
        assertEquals(0, report.renegotiated(), "the server agreed to another handshake");
      }
      assertTrue(
          flood > FLOOD_PER_MINUTE * 0.95, "only %.0f connects a minute came".formatted(flood));
      assertTrue(
          beside < alone * MOST_SLOWER,
          "others' mail took %.2f s, %.2f s alone".formatted(beside, alone));
      assertTrue(
          heap < heapBefore + 100, "heap after GC: %d MB, %d before".formatted(heap, heapBefore));
      assertTrue(
          resident < residentBefore + 300,
          "resident: %d MB, %d before".formatted(resident, residentBefore));
      Await.until(PATIENCE, () -> sink.total() + sink.strange() == 2 * messages + 2_000);
      String ledger = E02CrashTest.untilNothingWaits(node);
      assertTrue(ledger.contains("balance: 0"), ledger);
      // When it is over, nothing is left of it.
      Await.until(PATIENCE, () -> node.metric("postern_edge_connections") == 0);
    }
  }

  /** Seconds that it took. */
  private static double send(NodeProcess node, int messages)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    try (MailLoad load =
        MailLoad.start(
            node::smtp,
            new MailLoad.Plan(CONNECTIONS, messages, 4_000, "user@" + NodeProcess.DOMAIN)
                .pausing(PAUSE))) {
      load.awaitAll(PATIENCE);
      assertEquals(List.of(), load.refusedForGood());
      assertEquals(0, load.doubts() + load.brokenOff(), () -> "refusals " + load.refusals());
      return (System.nanoTime() - start) / 1e9;
    }
  }
}
