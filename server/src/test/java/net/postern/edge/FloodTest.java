package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.source.Sources;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;

/** Connections without end from one network, while others send mail. */
class FloodTest {
  /** 100,000 a minute. */
  private static final long PACE_NANOS = 600_000;

  /** One who has sent mail before. */
  private static final InetAddress SENDER = InetAddress.ofLiteral("127.1.0.1");

  private static final int FLOOD = 10_000;
  private static final int LIMIT = 500;
  private static final int MESSAGES = 100;

  @Test
  void aFloodFromOneNetworkDoesNotKeepMailOut() throws Exception {
    try (Database database = TestDatabase.open()) {
      var settings = new TestEdge.Settings();
      settings.sources =
          java.util.Optional.of(
              new Sources(
                  TestConfig.limits("exempt = []", "flood = " + LIMIT, "good_percent = 100000"),
                  List.of(),
                  new byte[32],
                  database,
                  event -> {},
                  InstantSource.system()));
      for (int i = 0; i < 30; i++) {
        settings.sources.get().emit(wanted());
      }
      try (TestEdge edge = new TestEdge(settings)) {
        List<Long> quiet = new ArrayList<>();
        for (int round = 0; round < 40; round++) {
          quiet.add(deliver(edge));
        }
        quiet.subList(0, 20).clear(); // Warm now.
        List<Long> flooded = new ArrayList<>();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger connects = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Thread flood = Thread.ofPlatform().start(() -> flood(edge, stop, connects, most));
        while (flood.isAlive() && connects.get() < FLOOD) {
          flooded.add(deliver(edge));
        }
        stop.set(true);
        flood.join();
        System.out.printf(
            "flood: %d connects, %d turned away, at most %d connections; a message took %d us,"
                + " and %d us without it%n",
            connects.get(),
            edge.server.turnedAway(),
            most.get(),
            median(flooded) / 1000,
            median(quiet) / 1000);
        assertEquals(FLOOD, connects.get());
        // The last ones may still wait to be taken.
        Await.until(() -> edge.server.turnedAway() >= FLOOD - LIMIT);
        assertTrue(most.get() <= LIMIT, most.get() + " connections at a time");
        assertTrue(settings.sources.get().remembered() < 1_000);
        // One word about it, not ten thousand.
        assertTrue(
            edge.events.stream().filter(each -> each instanceof MailEvent.Refused).count() < LIMIT);
      }
    }
  }

  private static MailEvent wanted() {
    return new MailEvent.Accepted(
        MessageId.create(),
        CustomerId.create(),
        new MailEvent.Peer(SENDER.getHostAddress(), "", ""),
        "",
        List.of("anna@example.org"),
        1_000,
        "PASS",
        "PASS",
        0,
        List.of(),
        3,
        Duration.ofMillis(1));
  }

  // From another network: the median of so many, in nanoseconds.
  private static long deliver(TestEdge edge) throws IOException {
    List<Long> took = new ArrayList<>();
    for (int i = 0; i < MESSAGES; i++) {
      long start = System.nanoTime();
      try (Dialogue dialogue =
          new Dialogue(new Socket(edge.address().getAddress(), edge.port(), SENDER, 0))) {
        dialogue.deliver("text\r\n");
      }
      took.add(System.nanoTime() - start);
    }
    return median(took);
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  private static void flood(
      TestEdge edge, AtomicBoolean stop, AtomicInteger connects, AtomicInteger most) {
    long next = System.nanoTime();
    for (int i = 0; i < FLOOD && !stop.get(); i++) {
      try (Socket socket =
          new Socket(
              edge.address().getAddress(),
              edge.port(),
              InetAddress.ofLiteral("127.0.0." + (2 + i % 250)),
              0)) {
        connects.addAndGet(socket.isConnected() ? 1 : 0);
        most.accumulateAndGet(edge.server.connections(), Math::max);
      } catch (IOException e) {
        // Sent away before it was there.
        connects.incrementAndGet();
      }
      next += PACE_NANOS;
      while (next - System.nanoTime() > 0) {
        LockSupport.parkNanos(next - System.nanoTime());
      }
    }
  }
}
