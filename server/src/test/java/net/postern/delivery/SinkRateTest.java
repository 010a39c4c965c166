package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import net.postern.dns.MapResolver;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryKey;
import net.postern.ledger.DeliveryLedger;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.Settlement;
import net.postern.tenant.Route;
import net.postern.testkit.Await;
import net.postern.testkit.Ports;
import net.postern.vault.Place;
import org.junit.jupiter.api.Test;

/** A foreign server, Postfix's smtp-sink, takes everything that is sent to it. */
class SinkRateTest {
  private static final Path SINK = Path.of("/usr/sbin/smtp-sink");
  private static final int BYTES = 8 * 1024;

  /** Enough to show that it works; the rate of a longer run is asked for by property. */
  private static final int MESSAGES = Integer.getInteger("postern.sink.messages", 3_000);

  /** Counts only: the ledger is not what is measured. */
  private static final class Counter implements DeliveryLedger {
    final AtomicInteger delivered = new AtomicInteger();
    final AtomicInteger other = new AtomicInteger();

    @Override
    public List<LeasedDelivery> lease(int max, Duration lease) {
      return List.of();
    }

    @Override
    public Instant nextDue() {
      return Instant.MAX;
    }

    @Override
    public CompletableFuture<Void> settle(Settlement settlement) {
      (settlement instanceof Settlement.Delivered ? delivered : other).incrementAndGet();
      return CompletableFuture.completedFuture(null);
    }
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void everythingArrivesAtSmtpSink() throws Exception {
    if (!Files.isExecutable(SINK)) {
      assertTrue(
          !"true".equals(System.getenv("CI")), "smtp-sink is missing: install Debian's postfix");
      assumeTrue(false, "smtp-sink is missing (Debian's postfix package): nothing is tested here");
    }
    int port = Ports.free();
    List<String> command = new ArrayList<>(List.of(SINK.toString()));
    if ("root".equals(System.getProperty("user.name"))) {
      // It refuses to serve as root.
      command.addAll(List.of("-u", "nobody"));
    }
    command.addAll(List.of("-c", "127.0.0.1:" + port, "1000"));
    Process sink =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      Await.until(() -> answers(port));
      Counter ledger = new Counter();
      CustomerId customer = CustomerId.create();
      Route route =
          new Route.Smtp(List.of(new Route.Target("127.0.0.1", port)), Route.Tls.OPPORTUNISTIC);
      DeliveryEngine engine =
          new DeliveryEngine(
              DeliveryWorld.config(200, 20),
              DeliveryWorld.HOST,
              25,
              new DeliveryEngine.Parts(
                  ledger,
                  new DeliveryWorld.Vault(),
                  (who, recipient) -> route,
                  new MapResolver(),
                  event -> {},
                  InstantSource.system()));
      engine.start();
      byte[] content = message();
      long start = System.nanoTime();
      for (int i = 0; i < MESSAGES; i++) {
        while (!engine.reserve(1, content.length)) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        engine.dispatch(List.of(delivery(customer, content)));
      }
      Await.until(
          Duration.ofMinutes(2), () -> ledger.delivered.get() + ledger.other.get() == MESSAGES);
      double seconds = (System.nanoTime() - start) / 1e9;
      System.out.printf(
          "smtp-sink: %d messages of %d bytes, %.0f a second%n",
          MESSAGES, BYTES, MESSAGES / seconds);
      engine.close(Duration.ofSeconds(5));
      assertEquals(MESSAGES, ledger.delivered.get());
    } finally {
      sink.destroy();
      assertTrue(sink.waitFor(5, TimeUnit.SECONDS), "smtp-sink did not end");
    }
  }

  private static byte[] message() {
    StringBuilder text = new StringBuilder("From: a@b.example\r\nSubject: load\r\n\r\n");
    while (text.length() < BYTES - 80) {
      text.append("0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 abcdefghijklmnopqrst\r\n");
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static LeasedDelivery delivery(CustomerId customer, byte[] content) {
    return new LeasedDelivery(
        new DeliveryKey(customer, MessageId.create(), 0),
        new Place(new UUID(1, 2), 0, content.length),
        new MailboxId(new UUID(1, 3)),
        Optional.of(DeliveryWorld.address("a@b.example")),
        DeliveryWorld.address("c@d.example"),
        Instant.now(),
        Instant.now().plus(Duration.ofDays(5)),
        1,
        Instant.now().plus(Duration.ofMinutes(15)),
        content.length,
        false,
        "",
        "",
        Optional.of(content));
  }
}
