package net.postern.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import net.postern.testkit.UnboundServer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Questions a second: from memory, and through a real server on the same machine. */
@Tag("long")
class DnsRateTest {
  private static final int CALLERS = 200;
  private static final int ASKED = 60_000;
  private static final int REMEMBERED = 4_000_000;

  private static final String ZONE =
      """
      $ORIGIN rate.example.
      $TTL 300
      @ IN SOA ns hostmaster 1 3600 600 86400 60
      @ NS ns
      ns A 192.0.2.53
      * A 192.0.2.1
      """;

  @Test
  void questionsASecond() throws Exception {
    try (UnboundServer server = UnboundServer.start(Map.of("rate.example.", ZONE), "")) {
      DnsjavaResolver resolver =
          DnsjavaResolver.open(
              new DnsSettings(List.of(server.address()), Duration.ofSeconds(10), 200_000));
      rate(resolver, ASKED / 4, i -> "warm" + i + ".rate.example");
      double asked = rate(resolver, ASKED, i -> "n" + i + ".rate.example");
      long sent = resolver.stats().sent();
      rate(resolver, REMEMBERED / 4, i -> "n" + i % 1_000 + ".rate.example");
      double remembered = rate(resolver, REMEMBERED, i -> "n" + i % 1_000 + ".rate.example");
      assertEquals(sent, resolver.stats().sent());
      System.out.printf(
          "DNS questions a second, %d callers: %,.0f through unbound, %,.0f from memory; %s%n",
          CALLERS, asked, remembered, resolver.stats());
      assertTrue(asked > 1_000, asked + " a second through unbound");
      assertTrue(remembered > 50_000, remembered + " a second from memory");
    }
  }

  private static double rate(DnsjavaResolver resolver, int questions, IntFunction<String> name)
      throws InterruptedException {
    AtomicInteger next = new AtomicInteger();
    AtomicInteger found = new AtomicInteger();
    long start = System.nanoTime();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < CALLERS; i++) {
        callers.execute(
            () -> {
              int mine;
              for (mine = next.getAndIncrement(); mine < questions; mine = next.getAndIncrement()) {
                if (resolver.a(name.apply(mine)) instanceof Answer.Found) {
                  found.incrementAndGet();
                }
              }
            });
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    assertEquals(questions, found.get());
    return questions / seconds;
  }
}
