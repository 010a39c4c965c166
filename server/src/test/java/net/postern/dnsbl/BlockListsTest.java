package net.postern.dnsbl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import net.postern.config.DnsblConfig;
import net.postern.dns.Answer;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;
import net.postern.dns.Resolver;
import net.postern.events.MailEvent;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockListsTest {
  private static final InetAddress LISTED = InetAddress.ofLiteral("192.0.2.66");
  private static final InetAddress CLEAN = InetAddress.ofLiteral("192.0.2.1");
  private static final String ZONE = "bl.spamcop.net";

  private final MapResolver dns = new MapResolver();
  private final ManualClock clock = new ManualClock(Instant.parse("2026-06-01T12:00:00Z"));
  private final List<MailEvent> events = new ArrayList<>();
  private final BlockLists lists =
      new BlockLists(
          ZoneTable.shipped().find(ZONE), dns, Duration.ofSeconds(3), clock, events::add);

  private void healthy() {
    dns.a("2.0.0.127." + ZONE, "127.0.0.2");
    dns.a("66.2.0.192." + ZONE, "127.0.0.2");
    lists.tend();
  }

  private BlockLists.Status status() {
    return lists.status().getFirst();
  }

  @Test
  void aListIsAskedOnceItsTestPointsWereSeen() {
    dns.a("66.2.0.192." + ZONE, "127.0.0.2");
    assertEquals(0, lists.ask(LISTED).score(), "not tested yet");
    healthy();
    assertEquals(2, lists.ask(LISTED).score());
    assertEquals(0, lists.ask(CLEAN).score());
    assertEquals(
        List.of(new MailEvent.ListHealth(ZONE, true, "its test points are as they have to be")),
        events);
  }

  @Test
  void onlyTheListThatWeighsMostIsAskedForItsWords() {
    String heavy = "b.barracudacentral.org";
    List<Zone> zones = new ArrayList<>(ZoneTable.shipped().find(ZONE));
    zones.addAll(ZoneTable.shipped().find(heavy));
    for (String zone : List.of(ZONE, heavy)) {
      dns.a("2.0.0.127." + zone, "127.0.0.2");
      dns.a("66.2.0.192." + zone, "127.0.0.2");
      dns.txt("66.2.0.192." + zone, "words of " + zone);
    }
    BlockLists both = new BlockLists(zones, dns, Duration.ofSeconds(3), clock, events::add);
    both.tend();
    assertEquals(
        List.of("", "words of " + heavy),
        both.ask(LISTED).listings().stream().map(Listing::more).toList());
    // The control: alone the lighter one is asked.
    healthy();
    assertEquals("words of " + ZONE, lists.ask(LISTED).listings().getFirst().more());
  }

  @Test
  void privateAddressesAreNeverAsked() {
    healthy();
    for (String inside :
        List.of(
            "127.0.0.2",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "169.254.1.1",
            "0.1.2.3",
            "192.0.0.8",
            "198.18.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "fec0::1",
            "fd00::1",
            "64:ff9b:1::1")) {
      lists.ask(InetAddress.ofLiteral(inside));
    }
    assertEquals(0, status().asked());
    lists.ask(LISTED);
    assertEquals(1, status().asked(), "the control");
    lists.ask(InetAddress.ofLiteral("198.20.0.1"));
    assertEquals(2, status().asked(), "just beside an inside network");
  }

  @Test
  void aListThatListsEverythingIsBenchedForAGrowingTime() {
    healthy();
    assertEquals(2, lists.ask(LISTED).score());
    dns.a("1.0.0.127." + ZONE, "127.0.0.2");
    clock.advance(Duration.ofHours(1));
    lists.tend();
    assertFalse(status().up());
    assertTrue(status().why().contains("perhaps everything"), status().why());
    assertEquals(0, lists.ask(LISTED).score());
    List<Long> minutes = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Duration bench = Duration.between(clock.instant(), status().until());
      minutes.add(bench.toMinutes());
      clock.advance(bench.minusSeconds(1));
      lists.tend();
      assertEquals(Duration.ofSeconds(1), Duration.between(clock.instant(), status().until()));
      clock.advance(Duration.ofSeconds(1));
      lists.tend();
    }
    assertEquals(List.of(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L), minutes);
    dns.a("1.0.0.127." + ZONE, new String[0]);
    clock.advance(Duration.ofHours(1));
    lists.tend();
    assertTrue(status().up(), status().why());
    assertEquals(2, lists.ask(LISTED).score());
  }

  /** Between two tests: a list that says yes fifty times in a row is looked at at once. */
  @Test
  void aListThatSaysYesToAllIsTestedBeforeItsHour() {
    healthy();
    dns.a("1.0.0.127." + ZONE, "127.0.0.2");
    lists.tend();
    assertTrue(status().up(), "not due yet");
    for (int i = 0; i < ZoneHealth.WINDOW; i++) {
      lists.ask(LISTED);
    }
    lists.tend();
    assertFalse(status().up());
  }

  @Test
  void aListThatOnlyGivesErrorsIsBenched() {
    healthy();
    for (int i = 0; i < ZoneHealth.ENOUGH; i++) {
      dns.a(i + ".2.0.192." + ZONE, i % 2 == 0 ? "127.255.255.254" : "127.0.0.1");
      assertTrue(status().up());
      Listings said = lists.ask(InetAddress.ofLiteral("192.0.2." + i));
      assertEquals(0, said.score());
      assertEquals(List.of(ZONE), said.silent());
    }
    assertFalse(status().up());
    assertTrue(status().why().contains("error code"), status().why());
    assertEquals(ZoneHealth.ENOUGH, status().errors());
    assertEquals(2, events.size(), events.toString());
  }

  @Test
  void aListThatIsSilentIsBenchedAndMailGoesOn() {
    healthy();
    for (int i = 100; i < 100 + ZoneHealth.ENOUGH; i++) {
      dns.failing(i + ".2.0.192." + ZONE, "no answer");
      assertEquals(List.of(ZONE), lists.ask(InetAddress.ofLiteral("192.0.2." + i)).silent());
    }
    assertFalse(status().up());
    assertEquals(Listings.NONE, lists.ask(LISTED));
    clock.advance(Duration.ofMinutes(1));
    lists.tend();
    assertTrue(status().up());
  }

  /** A resolver that has no room when it is told so. */
  private final class Crowded implements Resolver {
    boolean full;

    private <T> Answer<T> or(Supplier<Answer<T>> answer) {
      return full ? new Answer.Failure<>("too many questions", Answer.Cause.OURS) : answer.get();
    }

    @Override
    public Answer<MxRecord> mx(String domain) {
      return or(() -> dns.mx(domain));
    }

    @Override
    public Answer<InetAddress> a(String host) {
      return or(() -> dns.a(host));
    }

    @Override
    public Answer<InetAddress> aaaa(String host) {
      return or(() -> dns.aaaa(host));
    }

    @Override
    public Answer<String> txt(String name) {
      return or(() -> dns.txt(name));
    }

    @Override
    public Answer<String> ptr(InetAddress address) {
      return or(() -> dns.ptr(address));
    }

    @Override
    public Resolver within(Duration limit) {
      return this;
    }
  }

  @Test
  void whatWeDidNotGetToAskIsNoSilenceOfTheList() {
    Crowded crowded = new Crowded();
    BlockLists busy =
        new BlockLists(
            ZoneTable.shipped().find(ZONE), crowded, Duration.ofSeconds(3), clock, events::add);
    dns.a("2.0.0.127." + ZONE, "127.0.0.2");
    crowded.full = true;
    busy.tend();
    assertEquals("not tested yet", busy.status().getFirst().why());
    crowded.full = false;
    busy.tend();
    assertTrue(busy.status().getFirst().up());
    crowded.full = true;
    for (int i = 0; i < 3 * ZoneHealth.WINDOW; i++) {
      assertEquals(List.of(ZONE), busy.ask(InetAddress.ofLiteral("192.0.2." + i)).silent());
    }
    clock.advance(Duration.ofHours(2));
    busy.tend();
    assertTrue(busy.status().getFirst().up(), busy.status().getFirst().why());
    assertEquals(0, busy.status().getFirst().silent());
    assertEquals(1, events.size(), events.toString());
  }

  @Test
  void aListWithoutItsTestPointIsNotAsked() {
    lists.tend();
    assertFalse(status().up());
    assertTrue(status().why().contains("does not list its own test point"), status().why());
  }

  @Test
  void bitsOfAnAnswerAreAddedUp() {
    Zone surbl = ZoneTable.shipped().find("multi.surbl.org").getFirst();
    assertEquals(
        new Zone.Meaning.Listed(12, "phishing site, spam site"),
        surbl.meaning(InetAddress.ofLiteral("127.0.0.72")));
    Zone dbl = ZoneTable.shipped().find("dbl.spamhaus.org").getFirst();
    assertTrue(dbl.meaning(InetAddress.ofLiteral("127.0.1.255")) instanceof Zone.Meaning.Fault);
    assertTrue(dbl.meaning(InetAddress.ofLiteral("127.0.1.2")) instanceof Zone.Meaning.Listed);
  }

  // ---- the table ----

  private static DnsblConfig config(Optional<Path> table, String... zones) {
    return new DnsblConfig(List.of(zones), table, 6, Duration.ofSeconds(3));
  }

  @Test
  void aZoneOfBothFamiliesIsTwo() {
    List<Zone> zones = ZoneTable.chosen(config(Optional.empty(), "ZEN.spamhaus.org"));
    assertEquals(List.of(Zone.Kind.IP4, Zone.Kind.IP6), zones.stream().map(Zone::kind).toList());
    assertEquals("2.0.0.127", zones.get(0).listedPoint());
    assertEquals(
        "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
        zones.get(1).listedPoint());
  }

  @Test
  void aZoneThatNobodyKnowsIsTold() {
    IllegalArgumentException unknown =
        assertThrows(
            IllegalArgumentException.class,
            () -> ZoneTable.chosen(config(Optional.empty(), "no.such.zone")));
    assertTrue(
        String.valueOf(unknown.getMessage()).contains("zen.spamhaus.org"), unknown.getMessage());
    assertTrue(String.valueOf(unknown.getMessage()).contains("dnsbl.table"), unknown.getMessage());
  }

  @Test
  void aTableOfOnesOwnGoesFirst(@TempDir Path temp) throws Exception {
    Path own = temp.resolve("zones.txt");
    Files.writeString(own, "ip4 bl.spamcop.net 127.0.0.2 9 mine\nip4 bl.test 127.0.0.* 1 all\n");
    List<Zone> zones = ZoneTable.chosen(config(Optional.of(own), ZONE, "bl.test"));
    assertEquals(Optional.of(9), zones.getFirst().codes().getFirst().weight());
    assertEquals("bl.test", zones.get(1).name());
  }

  @Test
  void whatIsWrongInATableIsToldWithItsLine(@TempDir Path temp) throws Exception {
    Path own = temp.resolve("zones.txt");
    for (Map.Entry<String, String> each :
        Map.of(
                "ip4 bl.test", "a line has a kind, a zone",
                "ip5 bl.test 127.0.0.2 1 x", "none of ip, ip4",
                "ip4 bl.test 127.0.0 1 x", "are no codes",
                "ip4 bl.test 127.0.0.300 1 x", "are no codes",
                "ip4 bl.test 127.0.0.2 many x", "is no weight",
                "ip4 bl.test 127.0.0.2 1", "codes, weight, what it means",
                "domain bl.test 127.0.0.2 1 x\nip4 bl.test 127.0.0.3 1 x", "not both",
                "test bl.test one", "two names")
            .entrySet()) {
      Files.writeString(own, "# a comment\n" + each.getKey() + "\n");
      IllegalArgumentException wrong =
          assertThrows(
              IllegalArgumentException.class,
              () -> ZoneTable.chosen(config(Optional.of(own))),
              each.getKey());
      assertTrue(String.valueOf(wrong.getMessage()).contains(each.getValue()), wrong.getMessage());
      assertTrue(
          String.valueOf(wrong.getMessage()).matches("(?s).*zones\\.txt:[23]: .*"),
          wrong.getMessage());
    }
  }
}
