package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.testkit.Await;
import net.postern.testkit.IdleConnections;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import net.postern.testkit.SlowClients;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Thousands of clients hold connections and say nothing, others send one byte a second, on a heap
 * of 512 MB: mail flows as it does without them.
 */
@Isolated("it measures")
class E03IdleTest {
  private static final int SLOW = 20;
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Pattern USED = Pattern.compile("\\bused (\\d+)K");

  /** Others' mail may not suffer by more than this factor, plus what a loaded machine varies by. */
  private static final double MOST_SLOWER = 2.5;

  private static final Duration NOISE = Duration.ofMillis(150);

  /**
   * Others have the machine too, and a stall of seconds is more than a part of the run takes. A
   * part that comes out slower is measured again: what the clients cost, they cost each time.
   */
  private static final int MOST_MEASUREMENTS = 3;

  @Test
  void twoThousandIdleConnections() throws IOException, InterruptedException {
    idle(2_000, 2_000);
  }

  @Test
  @Tag("long")
  void tenThousandIdleConnections() throws IOException, InterruptedException {
    idle(10_000, 10_000);
  }

  /** What one part of the run came to. */
  private record Measured(double rate, Duration median, Duration late) {
    @Override
    public String toString() {
      return "%.0f/s, half within %d ms, 99 %% within %d ms"
          .formatted(rate, median.toMillis(), late.toMillis());
    }
  }

  private static void idle(int connections, int messages) throws IOException, InterruptedException {
    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e03")) {
      node.jvm("-Xmx512m");
      node.start();
      node.routeTo(sink.port());
      // The JIT compiler is done with most when the measurement begins.
      Measured _ = send(node, messages);
      Measured alone = send(node, messages);
      int sent = 2 * messages;
      long heapBefore = heapMegabytes(node);
      long residentBefore = node.residentMegabytes();

      try (IdleConnections idle = IdleConnections.open(node.smtp(), connections, PATIENCE)) {
        assertTrue(node.metric("postern_edge_connections") >= connections);
        Part besideIdle = sendBeside(node, messages, alone, "idle connections");
        long heap = heapMegabytes(node);
        long resident = node.residentMegabytes();
        try (SlowClients slow = SlowClients.start(node.smtp(), SLOW, user())) {
          Await.until(() -> slow.inContent() == SLOW);
          Part besideSlow = sendBeside(node, messages, besideIdle.last(), "slow clients");
          Await.until(() -> slow.sent() > 3 * SLOW);
          assertEquals(connections, idle.alive(), "idle connections were dropped");
          assertEquals(connections, idle.answering(PATIENCE), "idle connections do not answer");
          assertEquals(0, slow.failed());
          assertEquals(SLOW, slow.finish(), "messages of slow clients that got 250");
          System.out.println(
              "E03 -Xmx512m: alone %s; with %d idle %s; and %d slow %s; heap after GC %d MB, %d MB before; resident %d MB, %d MB before; %.1f KB of heap a connection"
                  .formatted(
                      alone,
                      connections,
                      besideIdle.last(),
                      SLOW,
                      besideSlow.last(),
                      heap,
                      heapBefore,
                      resident,
                      residentBefore,
                      (heap - heapBefore) * 1024.0 / connections));
          assertTrue(heap < 400, "heap in use after GC: " + heap + " MB");
          assertEquals("", besideIdle.slower());
          assertEquals("", besideSlow.slower());
          sent += besideIdle.sent() + besideSlow.sent();
        }
      }
      int all = sent + SLOW;
      Await.until(PATIENCE, () -> sink.total() + sink.strange() == all);
      String ledger = E02CrashTest.untilNothingWaits(node);
      assertTrue(ledger.contains("balance: 0"), ledger);
    }
  }

  /**
   * A part of the run, measured until it was not slower than before, or as often as is allowed.
   *
   * @param slower what the last measurement has to complain of; empty when nothing
   * @param sent messages of all measurements
   */
  private record Part(Measured last, String slower, int sent) {}

  private static Part sendBeside(NodeProcess node, int messages, Measured before, String why)
      throws IOException, InterruptedException {
    Part part = new Part(before, why, 0);
    for (int i = 0; i < MOST_MEASUREMENTS && !part.slower().isEmpty(); i++) {
      Measured now = send(node, messages);
      part = new Part(now, slower(before, now, why), part.sent() + messages);
    }
    return part;
  }

  private static String slower(Measured before, Measured now, String why) {
    if (now.rate() <= before.rate() / MOST_SLOWER) {
      return "%s cost others their rate: %s, was %s".formatted(why, now, before);
    }
    if (now.median().toNanos() >= before.median().toNanos() * MOST_SLOWER + NOISE.toNanos()) {
      return "%s cost others their time: %s, was %s".formatted(why, now, before);
    }
    return "";
  }

  private static Measured send(NodeProcess node, int messages) throws InterruptedException {
    long start = System.nanoTime();
    try (MailLoad load =
        MailLoad.start(node::smtp, new MailLoad.Plan(10, messages, 4_000, user()))) {
      load.awaitAll(PATIENCE);
      double seconds = (System.nanoTime() - start) / 1e9;
      assertEquals(List.of(), load.refusedForGood());
      assertEquals(0, load.doubts() + load.brokenOff(), () -> "refusals " + load.refusals());
      return new Measured(messages / seconds, load.latency(0.5), load.latency(0.99));
    }
  }

  private static String user() {
    return "user@" + NodeProcess.DOMAIN;
  }

  /** What the heap holds after a full collection. */
  static long heapMegabytes(NodeProcess node) throws IOException, InterruptedException {
    String jcmd = Path.of(System.getProperty("java.home"), "bin/jcmd").toString();
    String _ = Machine.run(jcmd, "" + node.pid(), "GC.run");
    Matcher used = USED.matcher(Machine.run(jcmd, "" + node.pid(), "GC.heap_info"));
    assertTrue(used.find(), "jcmd says nothing of the heap");
    return Long.parseLong(used.group(1)) / 1024;
  }
}
