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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import net.postern.config.DnsblConfig;
import net.postern.dns.DnsSettings;
import net.postern.dns.DnsjavaResolver;
import net.postern.dnsbl.BlockLists;
import net.postern.dnsbl.ZoneTable;
import net.postern.events.MailEvent;
import net.postern.testkit.Await;
import net.postern.testkit.RblServer;
import net.postern.testkit.UdpProxy;
import net.postern.testkit.UnboundServer;
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
      """;

  @TempDir Path temp;
  private final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();
  private final CheckWorld world = new CheckWorld();

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
            RblServer.Sort.IP4SET, ":127.255.255.254:not you", "127.0.0.0/8", "192.0.0.0/8"));
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

  /** The reply to RCPT, for a client that comes from this address. */
  private String rcpt(TestEdge edge, String client) {
    world.client(client);
    try (Socket socket = new Socket(edge.address().getAddress(), edge.port())) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      String reply = String.valueOf(in.readLine());
      for (String line : List.of("HELO c.example", "MAIL FROM:<>", "RCPT TO:<anna@example.org>")) {
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
        reply = String.valueOf(in.readLine());
      }
      return reply;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
                    "shut.example", rbl.address()))) {
      BlockLists lists =
          lists(ask(unbound.address()), PATIENT, "lying.example", "bl.example", "shut.example");
      Await.until(
          () -> {
            lists.tend();
            world.clock().advance(Duration.ofMinutes(1));
            return of(lists, "bl.example").up()
                && of(lists, "lying.example").why().contains("perhaps everything")
                && of(lists, "shut.example").why().contains("error code");
          });
      assertFalse(of(lists, "lying.example").up());
      assertFalse(of(lists, "shut.example").up());
      try (TestEdge edge = edge(lists)) {
        String refused = rcpt(edge, "192.0.2.66");
        assertTrue(
            refused.startsWith(
                "554 5.7.1 192.0.2.66 is listed by bl.example: Spam from 192.0.2.66 (ref "),
            refused);
        assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.67"));
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
      int address = 100;
      try (TestEdge edge = edge(lists)) {
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
          long silent = of(lists, "bl.example").silent();
          long begun = System.nanoTime();
          assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2." + address++), mood.toString());
          Duration took = Duration.ofNanos(System.nanoTime() - begun);
          assertTrue(took.compareTo(BUDGET.plus(ROOM)) < 0, mood + " took " + took);
          Await.until(() -> of(lists, "bl.example").silent() == silent + 1);
          // Until half of what was asked lately is silent.
          for (int i = 0; i < 60 && of(lists, "bl.example").up(); i++) {
            lists.ask(InetAddress.ofLiteral("198.51.100." + i));
          }
          assertFalse(of(lists, "bl.example").up(), mood.toString());
          assertTrue(of(lists, "bl.example").why().contains("does not answer"), mood.toString());
          // Benched: nobody waits for it any more.
          begun = System.nanoTime();
          assertEquals("250 2.1.5 Ok", rcpt(edge, "192.0.2.66"), mood.toString());
          took = Duration.ofNanos(System.nanoTime() - begun);
          assertTrue(took.compareTo(ROOM) < 0, mood + " took " + took);
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
}
