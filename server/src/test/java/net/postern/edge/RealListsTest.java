package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.config.DnsblConfig;
import net.postern.config.HostPort;
import net.postern.dns.DnsSettings;
import net.postern.dns.DnsjavaResolver;
import net.postern.dnsbl.BlockLists;
import net.postern.dnsbl.ZoneTable;
import net.postern.events.MailEvent;
import net.postern.node.ListGauges;
import net.postern.observe.MailMetrics;
import net.postern.observe.ObserveServer;
import net.postern.testkit.Await;
import net.postern.testkit.RblServer;
import net.postern.testkit.UdpProxy;
import net.postern.testkit.UnboundServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Block lists served by rbldnsd, asked through unbound or through a proxy that spoils packets. */
class RealListsTest {
  private static final Duration BUDGET = Duration.ofMillis(700);

  /** Where a slow machine is not to look like a slow list. */
  private static final Duration PATIENT = Duration.ofSeconds(5);

  /** Room for a loaded machine besides the budget. */
  private static final Duration ROOM = Duration.ofSeconds(4);

  private static final String TABLE =
      """
      ip4 bl.example 127.0.0.2 6 spam source
      ip4 lying.example 127.0.0.2 6 whatever
      ip4 shut.example 127.0.0.2 6 whatever
      ip6 six.example 127.0.0.2 6 spam source
      domain names.example 127.0.1.2 6 spam domain
      """;

  @TempDir Path temp;
  private final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();
  private final CheckWorld world = new CheckWorld();
  private final MailMetrics metrics = new MailMetrics();

  private static Map<String, RblServer.Zone> zones() {
    return Map.of(
        "bl.example",
        new RblServer.Zone(
            RblServer.Sort.IP4SET, ":127.0.0.2:Spam from $", "127.0.0.2", "192.0.2.66"),
        "lying.example",
        new RblServer.Zone(
            RblServer.Sort.IP4SET, ":127.0.0.2:everything", "127.0.0.0/8", "192.0.0.0/8"),
        "shut.example",
        new RblServer.Zone(
            RblServer.Sort.IP4SET, ":127.255.255.254:not you", "127.0.0.0/8", "192.0.0.0/8"),
        "six.example",
        new RblServer.Zone(
            RblServer.Sort.IP6TRIE, ":127.0.0.2:Spam", "0:0:0:0:0:ffff:7f00:2", "2001:db8:66::/48"),
        "names.example",
        new RblServer.Zone(RblServer.Sort.DNSET, ":127.0.1.2:Spam", "test", "evil.example"));
  }

  private BlockLists lists(DnsjavaResolver dns, Duration budget, String... names) throws Exception {
    Path table = temp.resolve("zones.txt");
    Files.writeString(table, TABLE);
    return new BlockLists(
        ZoneTable.chosen(new DnsblConfig(List.of(names), Optional.of(table), 6, budget)),
        dns.within(budget),
        budget,
        world.clock(),
        events::add);
  }

  private static DnsjavaResolver ask(InetSocketAddress server) {
    return DnsjavaResolver.open(new DnsSettings(List.of(server), Duration.ofSeconds(5), 1_000));
  }

  private static BlockLists.Status of(BlockLists lists, String zone) {
    return lists.status().stream()
        .filter(each -> each.title().equals(zone))
        .findFirst()
        .orElseThrow();
  }

  /** What {@code /metrics} says of a list. */
  private static long metric(ObserveServer observe, String name, String zone) {
    String text;
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:%d/metrics".formatted(observe.port()));
      text = http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    Matcher line =
        Pattern.compile(
                "^postern_dnsbl_%s\\{zone=\"%s\"} ([0-9.]+)$".formatted(name, Pattern.quote(zone)),
                Pattern.MULTILINE)
            .matcher(text);
    assertTrue(line.find(), name + " of " + zone + " is not in " + text);
    return (long) Double.parseDouble(line.group(1));
  }

  private ObserveServer observe(BlockLists lists) {
    ListGauges.register(metrics.registry(), lists);
    return ObserveServer.start(new HostPort("127.0.0.1", 0), Map.of(), metrics::scrape);
  }

  @AfterEach
  void close() {
    metrics.close();
  }

  /** The reply to RCPT, for a client that comes from this address. */
  private String rcpt(TestEdge edge, String client) {
    return rcpt(edge, client, "");
  }

  private String rcpt(TestEdge edge, String client, String from) {
    world.client(client);
    try (Socket socket = new Socket(edge.address().getAddress(), edge.port())) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      String reply = String.valueOf(in.readLine());
      for (String line :
          List.of(
              "HELO c.example", "MAIL FROM:<%s>".formatted(from), "RCPT TO:<anna@example.org>")) {
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
        reply = String.valueOf(in.readLine());
      }
      return reply;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // One that no list names.
  private static String fresh(AtomicInteger next) {
    return "192.0.2." + (100 + next.getAndIncrement() % 150);
  }

  private TestEdge edge(BlockLists lists) {
    world.lists(lists);
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.world = world;
    return new TestEdge(settings);
  }

  @Test
  void listsBehindARealResolverRefuseAndThoseThatLieAreBenched() throws Exception {
    try (RblServer rbl = RblServer.start(zones());
        UnboundServer unbound =
            UnboundServer.start(
                Map.of(),
                "",
                Map.of(
                    "bl.example", rbl.address(),
                    "lying.example", rbl.address(),
                    "shut.example", rbl.address(),
                    "six.example", rbl.address(),
                    "names.example", rbl.address()))) {
      BlockLists lists =
          lists(
              ask(unbound.address()),
              PATIENT,
              "lying.example",
              "bl.example",
              "shut.example",
              "six.example",
              "names.example");
      Await.until(
          () -> {
            lists.tend();
            world.clock().advance(Duration.ofMinutes(1));
            return of(lists, "bl.example").up()
                && of(lists, "six.example (IPv6)").up()
                && of(lists, "names.example").up()
                && of(lists, "lying.example").why().contains("perhaps everything")
                && of(lists, "shut.example").why().contains("error code");
          });
      assertFalse(of(lists, "lying.example").up());
      assertFalse(of(lists, "shut.example").up());
      world.zone("evil.example MX 10 mx.evil.example");
      world.zone("good.example MX 10 mx.good.example");
      try (TestEdge edge = edge(lists);
          ObserveServer observe = observe(lists)) {
        String refused = rcpt(edge, "192.0.2.66");
        assertTrue(
            refused.startsWith(
                "554 5.7.1 192.0.2.66 is listed by bl.example: Spam from 192.0.2.66 (ref "),
            refused);
        assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.67"));
        refused = rcpt(edge, "2001:db8:66::7");
        assertTrue(refused.contains(" is listed by six.example: Spam (ref "), refused);
        assertEquals("250 2.1.5 Ok", rcpt(edge, "2001:db8:67::7"));
        refused = rcpt(edge, "192.0.2.67", "a@evil.example");
        assertTrue(
            refused.startsWith("554 5.7.1 evil.example is listed by names.example: Spam (ref "),
            refused);
        assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.67", "a@good.example"));
        assertEquals(1, metric(observe, "up", "bl.example"));
        assertEquals(1, metric(observe, "listed_total", "bl.example"));
        assertEquals(0, metric(observe, "silent_total", "bl.example"));
        for (String benched : List.of("lying.example", "shut.example")) {
          assertEquals(0, metric(observe, "up", benched), benched);
          assertEquals(0, metric(observe, "asked_total", benched), benched);
        }
      }
      assertEquals(0, of(lists, "lying.example").asked());
      assertTrue(
          events.stream()
              .anyMatch(
                  event ->
                      event instanceof MailEvent.ListHealth health
                          && health.zone().equals("lying.example")
                          && !health.up()));
    }
  }

  @Test
  void mailFlowsWhileListsAreDeadSlowOrNoise() throws Exception {
    try (RblServer rbl = RblServer.start(zones());
        UdpProxy proxy = new UdpProxy(rbl.address())) {
      BlockLists lists = lists(ask(proxy.address()), BUDGET, "bl.example");
      proxy.delay(BUDGET.multipliedBy(3));
      AtomicInteger address = new AtomicInteger(100);
      try (TestEdge edge = edge(lists);
          ObserveServer observe = observe(lists)) {
        for (UdpProxy.Mood mood :
            List.of(UdpProxy.Mood.DROP, UdpProxy.Mood.DELAY, UdpProxy.Mood.GARBAGE)) {
          proxy.mood(UdpProxy.Mood.PASS);
          Await.until(
              () -> {
                world.clock().advance(Duration.ofHours(1));
                lists.tend();
                return of(lists, "bl.example").up();
              });
          proxy.mood(mood);
          assertEquals(1, metric(observe, "up", "bl.example"), mood.toString());
          long silent = of(lists, "bl.example").silent();
          long begun = System.nanoTime();
          assertEquals("250 2.1.5 Ok", rcpt(edge, fresh(address)), mood.toString());
          Duration took = Duration.ofNanos(System.nanoTime() - begun);
          assertTrue(took.compareTo(BUDGET.plus(ROOM)) < 0, mood + " took " + took);
          // A list that is asked late, since it is slow here, is not to blame: one more, then.
          Await.until(
              () ->
                  metric(observe, "silent_total", "bl.example") > silent
                      || rcpt(edge, fresh(address)).isEmpty());
          // Until half of what was asked lately is silent.
          for (int i = 0; i < 60 && of(lists, "bl.example").up(); i++) {
            lists.ask(InetAddress.ofLiteral("198.51.100." + i));
          }
          assertFalse(of(lists, "bl.example").up(), mood.toString());
          assertTrue(of(lists, "bl.example").why().contains("does not answer"), mood.toString());
          assertEquals(0, metric(observe, "up", "bl.example"), mood.toString());
          assertTrue(metric(observe, "silent_total", "bl.example") >= silent + 5, mood.toString());
          assertEquals(0, metric(observe, "errors_total", "bl.example"), mood.toString());
          // Benched: nobody waits for it any more.
          begun = System.nanoTime();
          assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.66"), mood.toString());
          took = Duration.ofNanos(System.nanoTime() - begun);
          assertTrue(took.compareTo(ROOM) < 0, mood + " took " + took);
          // And nobody asks it; who began before may still be counted.
          Await.until(
              () -> {
                long asked = metric(observe, "asked_total", "bl.example");
                assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.66"));
                return metric(observe, "asked_total", "bl.example") == asked;
              });
        }
        // The control: well again, it refuses.
        proxy.mood(UdpProxy.Mood.PASS);
        Await.until(
            () -> {
              world.clock().advance(Duration.ofHours(1));
              lists.tend();
              return of(lists, "bl.example").up();
            });
        Await.until(() -> rcpt(edge, "192.0.2.66").startsWith("554 5.7.1 "));
      }
    }
  }

  /** Shut to us from one moment to the next, as a list does to who asks too much. */
  @Test
  void mailFlowsWhileAListAnswersWithErrors() throws Exception {
    try (RblServer rbl = RblServer.start(zones())) {
      BlockLists lists = lists(ask(rbl.address()), PATIENT, "bl.example");
      Await.until(
          () -> {
            lists.tend();
            world.clock().advance(Duration.ofMinutes(1));
            return of(lists, "bl.example").up();
          });
      try (TestEdge edge = edge(lists);
          ObserveServer observe = observe(lists)) {
        assertTrue(rcpt(edge, "192.0.2.66").startsWith("554 5.7.1 "), "the control");
        rbl.replace(
            "bl.example",
            new RblServer.Zone(
                RblServer.Sort.IP4SET, ":127.255.255.254:not you", "127.0.0.2", "192.0.2.0/24"));
        int[] client = {0};
        Await.until(
            () -> {
              assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2." + (100 + client[0]++ % 150)));
              return metric(observe, "errors_total", "bl.example") > 0;
            });
        // Until half of what was asked lately is an error.
        for (int i = 0; i < 100 && of(lists, "bl.example").up(); i++) {
          assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2." + (100 + client[0]++ % 150)));
        }
        assertEquals(0, metric(observe, "up", "bl.example"));
        assertTrue(metric(observe, "errors_total", "bl.example") >= 5);
        assertEquals(0, metric(observe, "silent_total", "bl.example"));
        assertTrue(of(lists, "bl.example").why().contains("an error code"));
        assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.66"));
      }
    }
  }

  /** Between two tests a list begins to have everything: it is found out after fifty of them. */
  @Test
  void mailFlowsAgainWhenAListBeginsToListEverything() throws Exception {
    try (RblServer rbl = RblServer.start(zones())) {
      BlockLists lists = lists(ask(rbl.address()), PATIENT, "bl.example");
      Await.until(
          () -> {
            lists.tend();
            world.clock().advance(Duration.ofMinutes(1));
            return of(lists, "bl.example").up();
          });
      try (TestEdge edge = edge(lists);
          ObserveServer observe = observe(lists)) {
        assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.67"), "the control");
        rbl.replace(
            "bl.example",
            new RblServer.Zone(
                RblServer.Sort.IP4SET, ":127.0.0.2:everything", "127.0.0.0/8", "192.0.0.0/8"));
        int[] client = {0};
        Await.until(() -> rcpt(edge, "192.0.3." + client[0]++ % 256).startsWith("554 5.7.1 "));
        for (int i = 0; i < 120 && of(lists, "bl.example").up(); i++) {
          lists.ask(InetAddress.ofLiteral("192.0.4." + i));
          lists.tend();
        }
        assertEquals(0, metric(observe, "up", "bl.example"));
        assertTrue(metric(observe, "listed_total", "bl.example") >= 50);
        assertTrue(of(lists, "bl.example").why().contains("perhaps everything"));
        assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.3.200"));
      }
    }
  }
}
