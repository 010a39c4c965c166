package net.postern.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import net.postern.testkit.Await;
import net.postern.testkit.UdpProxy;
import net.postern.testkit.UdpProxy.Mood;
import net.postern.testkit.UnboundServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the shared client treats servers, time and memory; the server is a real one. */
class DnsClientTest {
  private static final Duration LIMIT = Duration.ofSeconds(40);
  private static final InetAddress ONE = InetAddress.ofLiteral("192.0.2.1");

  /** Records whose lives differ; what is not there is not there for 60 s. */
  private static final String ZONE =
      """
      $ORIGIN client.example.
      $TTL 300
      @ IN SOA ns hostmaster 1 3600 600 86400 60
      @ NS ns
      ns A 192.0.2.53
      long 86400 A 192.0.2.1
      short 100 A 192.0.2.1
      alias 50 CNAME short
      once 0 A 192.0.2.1
      *.many A 192.0.2.1
      """;

  @TempDir Path directory;

  private final AtomicLong ticks = new AtomicLong();
  private final UnboundServer server =
      UnboundServer.start(Map.of("client.example.", ZONE), "broken.example.");
  private final UdpProxy proxy = proxy();

  private UdpProxy proxy() {
    try {
      return new UdpProxy(server.address());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeEach
  void noHosts() throws IOException {
    Files.writeString(directory.resolve("hosts"), "");
  }

  @AfterEach
  void stop() {
    proxy.close();
    server.close();
  }

  private DnsjavaResolver resolver(Duration limit, InetSocketAddress... servers) {
    return DnsjavaResolver.open(
        new DnsSettings(List.of(servers), limit, 10_000), directory.resolve("hosts"), ticks::get);
  }

  private DnsjavaResolver resolver() {
    return resolver(LIMIT, proxy.address());
  }

  private void pass(int seconds) {
    ticks.addAndGet(Duration.ofSeconds(seconds).toNanos());
  }

  private static void dead(Answer<?> answer) {
    assertInstanceOf(Answer.Failure.class, answer);
  }

  private static InetSocketAddress nobody() throws IOException {
    try (java.net.DatagramSocket socket =
        new java.net.DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"))) {
      return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), socket.getLocalPort());
    }
  }

  /** Asks {@code name} again after each number of seconds; how often the server was asked. */
  private List<Integer> packetsAfter(DnsjavaResolver resolver, String name, int... seconds) {
    List<Integer> packets = new ArrayList<>();
    resolver.a(name);
    for (int each : seconds) {
      pass(each);
      int before = proxy.packets();
      resolver.a(name);
      packets.add(proxy.packets() - before);
    }
    return packets;
  }

  @Test
  void answersAreBelievedForTheirLife() {
    assertEquals(List.of(0, 1), packetsAfter(resolver(), "short.client.example", 95, 10));
    assertEquals(List.of(0, 1), packetsAfter(resolver(), "long.client.example", 3_590, 20));
    assertEquals(List.of(0, 1), packetsAfter(resolver(), "alias.client.example", 45, 10));
    assertEquals(List.of(1), packetsAfter(resolver(), "once.client.example", 0));
  }

  @Test
  void denialsAreBelievedAsTheZoneSays() {
    assertEquals(List.of(0, 1), packetsAfter(resolver(), "nothing.client.example", 55, 10));
    assertEquals(List.of(0, 1), packetsAfter(resolver(), "client.example", 55, 10));
  }

  @Test
  void failuresAreBelievedForSeconds() {
    DnsjavaResolver resolver = resolver();
    assertEquals(List.of(0, 1), packetsAfter(resolver, "x.broken.example", 4, 2));
    assertEquals(3, resolver.stats().failures());
    dead(resolver.a("x.broken.example"));
  }

  @Test
  void oneQuestionForAllWhoHaveIt() throws Exception {
    proxy.mood(Mood.DELAY);
    DnsjavaResolver resolver = resolver();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer<InetAddress>>> answers =
          IntStream.range(0, 500)
              .mapToObj(i -> callers.submit(() -> resolver.a("long.client.example")))
              .toList();
      for (Future<Answer<InetAddress>> answer : answers) {
        assertEquals(new Answer.Found<>(List.of(ONE)), answer.get());
      }
    }
    assertEquals(1, proxy.packets());
    DnsStats stats = resolver.stats();
    assertEquals(500, stats.questions());
    assertEquals(499, stats.shared() + stats.hits());
    assertEquals(1, stats.sent());
    assertEquals(0, stats.underWay());
    assertTrue(stats.waitedNanos() > 0);
  }

  @Test
  void whoCannotWaitGoesAndTheAnswerIsLearned() {
    proxy.mood(Mood.DELAY);
    proxy.delay(Duration.ofSeconds(5));
    // The first try is longer than the delay.
    DnsjavaResolver resolver = resolver(LIMIT.multipliedBy(3), proxy.address());
    long start = System.nanoTime();
    dead(resolver.within(Duration.ofMillis(50)).a("long.client.example"));
    assertTrue(System.nanoTime() - start < Duration.ofMillis(4_800).toNanos(), "it waited");
    Await.until(() -> resolver.stats().underWay() == 0);
    assertEquals(
        new Answer.Found<>(List.of(ONE)),
        resolver.within(Duration.ofMillis(50)).a("long.client.example"));
    assertEquals(1, proxy.packets());
  }

  @Test
  void aLostPacketIsSentAgain() throws Exception {
    proxy.mood(Mood.DROP);
    DnsjavaResolver resolver = resolver(Duration.ofSeconds(6), proxy.address());
    CompletableFuture<Answer<InetAddress>> answer =
        CompletableFuture.supplyAsync(() -> resolver.a("long.client.example"));
    Await.until(() -> proxy.packets() >= 1);
    proxy.mood(Mood.PASS);
    assertEquals(new Answer.Found<>(List.of(ONE)), answer.get());
    assertTrue(proxy.packets() >= 2, proxy.packets() + " packets");
  }

  @Test
  void noiseIsNoAnswer() {
    proxy.mood(Mood.GARBAGE);
    DnsjavaResolver resolver = resolver();
    long start = System.nanoTime();
    dead(resolver.a("long.client.example"));
    assertTrue(System.nanoTime() - start < LIMIT.toNanos() / 2, "noise was waited for");
    assertEquals(4, proxy.packets());
    proxy.mood(Mood.PASS);
    dead(resolver.a("long.client.example"));
    pass(6);
    assertEquals(new Answer.Found<>(List.of(ONE)), resolver.a("long.client.example"));
  }

  @Test
  void silenceEndsInTime() {
    proxy.mood(Mood.DROP);
    DnsjavaResolver resolver = resolver(Duration.ofSeconds(3), proxy.address());
    long start = System.nanoTime();
    dead(resolver.a("long.client.example"));
    long took = System.nanoTime() - start;
    assertTrue(took < Duration.ofSeconds(9).toNanos(), took + " ns");
    assertTrue(proxy.packets() >= 2, "tried once only");
    assertTrue(proxy.packets() <= 4, proxy.packets() + " packets");
    // Who hangs may be one process of several: none of these sockets is used again.
    Await.until(() -> LoopbackUdp.open(proxy.address()) == 0);
  }

  @Test
  void nobodyListensThere() throws Exception {
    DnsjavaResolver resolver = resolver(LIMIT, nobody());
    long start = System.nanoTime();
    dead(resolver.a("long.client.example"));
    assertTrue(System.nanoTime() - start < LIMIT.toNanos() / 4, "it waited for nobody");
  }

  @Test
  void anotherServerIsAskedAndComesFirstThen() throws Exception {
    try (UdpProxy silent = new UdpProxy(server.address())) {
      silent.mood(Mood.DROP);
      DnsjavaResolver resolver = resolver(LIMIT, silent.address(), proxy.address());
      assertEquals(new Answer.Found<>(List.of(ONE)), resolver.a("a.many.client.example"));
      assertEquals(1, silent.packets());
      for (int i = 0; i < 20; i++) {
        assertEquals(
            new Answer.Found<>(List.of(ONE)), resolver.a("b" + i + ".many.client.example"));
      }
      assertEquals(1, silent.packets());
    }
    DnsjavaResolver second = resolver(LIMIT, nobody(), proxy.address());
    assertEquals(new Answer.Found<>(List.of(ONE)), second.a("c.many.client.example"));
  }

  @Test
  void questionsUnderWayAreBounded() throws Exception {
    proxy.mood(Mood.DELAY);
    proxy.delay(Duration.ofMillis(500));
    DnsjavaResolver resolver = resolver();
    int callers = DnsClient.Budget.OWN.most + 200;
    int found = 0;
    AtomicLong most = new AtomicLong();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer<InetAddress>>> answers =
          IntStream.range(0, callers)
              .mapToObj(
                  i ->
                      threads.submit(
                          () -> {
                            most.accumulateAndGet(resolver.stats().underWay(), Math::max);
                            return resolver.a("q" + i + ".many.client.example");
                          }))
              .toList();
      for (Future<Answer<InetAddress>> answer : answers) {
        most.accumulateAndGet(resolver.stats().underWay(), Math::max);
        answer.get();
      }
    }
    assertTrue(most.get() <= DnsClient.Budget.OWN.most, most + " at one time");
    // What a burst lost, and lost again, is answered to who asks again.
    proxy.mood(Mood.PASS);
    Await.until(() -> resolver.stats().underWay() == 0);
    pass((int) DnsClient.FAILURE_LIFE + 1);
    for (int i = 0; i < callers; i++) {
      found += resolver.a("q" + i + ".many.client.example") instanceof Answer.Found ? 1 : 0;
    }
    assertEquals(callers, found);
  }

  /** Opening a socket for each question takes more of the processor than the question. */
  @Test
  void questionsToThisMachineShareSockets() throws Exception {
    DnsjavaResolver resolver = resolver();
    int questions = 500;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < questions; i++) {
        String name = "t" + i + ".many.client.example";
        threads.execute(() -> resolver.a(name));
      }
    }
    for (int i = 0; i < questions; i++) {
      assertEquals(new Answer.Found<>(List.of(ONE)), resolver.a("u" + i + ".many.client.example"));
    }
    int open = LoopbackUdp.open(proxy.address());
    assertTrue(open >= 1 && open <= LoopbackUdp.MAX_SOCKETS, open + " sockets");
    // Nobody needs them any more; the control: until a while ago somebody did.
    LoopbackUdp.tidy(System.nanoTime());
    assertEquals(open, LoopbackUdp.open(proxy.address()));
    Await.until(() -> resolver.stats().underWay() == 0);
    LoopbackUdp.tidy(System.nanoTime() + Duration.ofMinutes(5).toNanos());
    assertEquals(0, LoopbackUdp.open(proxy.address()));
    assertEquals(new Answer.Found<>(List.of(ONE)), resolver.a("v.many.client.example"));
  }

  /** As when a list's servers are gone while the world connects to us. */
  @Test
  void whatStrangersCauseKeepsNothingOfOursWaiting() throws Exception {
    proxy.mood(Mood.DROP);
    DnsjavaResolver own = resolver(Duration.ofSeconds(20), proxy.address());
    DnsjavaResolver strangers = own.forStrangers();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer<InetAddress>>> asked =
          IntStream.range(0, DnsClient.Budget.STRANGERS.most)
              .mapToObj(i -> threads.submit(() -> strangers.a("s" + i + ".many.client.example")))
              .toList();
      Await.until(() -> own.stats().underWay() == DnsClient.Budget.STRANGERS.most);
      // One more of theirs has no turn, and that is our own doing.
      assertTrue(
          strangers.within(Duration.ofMillis(300)).a("more.many.client.example")
                  instanceof Answer.Failure<InetAddress>(String _, Answer.Cause cause)
              && cause == Answer.Cause.OURS);
      assertEquals(1, own.stats().crowded());
      proxy.mood(Mood.PASS);
      assertEquals(new Answer.Found<>(List.of(ONE)), own.a("ours.many.client.example"));
      // The control: when there is room again, they are answered. All were sent in one burst, and
      // sent again: some may have been lost each time, and are answered to who asks again.
      for (Future<Answer<InetAddress>> each : asked) {
        each.get();
      }
      Await.until(() -> own.stats().underWay() == 0);
      pass((int) DnsClient.FAILURE_LIFE + 1);
      for (int i = 0; i < asked.size(); i++) {
        assertEquals(
            new Answer.Found<>(List.of(ONE)), strangers.a("s" + i + ".many.client.example"));
      }
      assertEquals(new Answer.Found<>(List.of(ONE)), strangers.a("more.many.client.example"));
    }
  }

  @Test
  void aServerThatIsSilentIsNoDoingOfOurs() {
    proxy.mood(Mood.DROP);
    DnsjavaResolver resolver = resolver(Duration.ofSeconds(8), proxy.address());
    // It is under way before anybody's time begins: to be late here would be a doing of ours.
    Thread.ofVirtual().start(() -> resolver.a("long.client.example"));
    Await.until(() -> proxy.packets() >= 1);
    assertTrue(
        resolver.within(Duration.ofSeconds(2)).a("long.client.example")
                instanceof Answer.Failure<InetAddress>(String _, Answer.Cause cause)
            && cause == Answer.Cause.SILENCE);
    assertEquals(0, resolver.stats().crowded());
  }

  @Test
  void theHostsFileCounts() throws IOException {
    Files.writeString(directory.resolve("hosts"), "198.51.100.9 inside.example\n");
    DnsjavaResolver resolver = resolver();
    assertEquals(
        new Answer.Found<>(List.of(InetAddress.ofLiteral("198.51.100.9"))),
        resolver.a("inside.example"));
    assertEquals(0, proxy.packets());
  }

  @Test
  void memoryIsBounded() {
    DnsjavaResolver resolver =
        DnsjavaResolver.open(
            new DnsSettings(List.of(proxy.address()), LIMIT, 50),
            directory.resolve("hosts"),
            ticks::get);
    for (int i = 0; i < 300; i++) {
      resolver.a("m" + i + ".many.client.example");
    }
    assertTrue(resolver.stats().cached() <= 50, resolver.stats().toString());
    assertTrue(resolver.stats().cached() > 0, resolver.stats().toString());
  }
}
