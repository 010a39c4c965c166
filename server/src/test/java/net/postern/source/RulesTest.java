package net.postern.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.config.LimitsConfig;
import net.postern.config.TestConfig;
import org.junit.jupiter.api.Test;

/** The rules alone, without clock or database. */
class RulesTest {
  private static final SecretHash HASH = new SecretHash(new byte[32]);
  private static final Instant NOW = Instant.parse("2026-06-01T08:00:00Z");
  private static final LimitsConfig LIMITS = TestConfig.limits();

  private static Harvest.Opinion judge(int unknown, int known) {
    return Harvest.judge(new Window.Counts(known, unknown, unknown), 5, 0.5);
  }

  @Test
  void numberAndShareHaveToSpeakAgainstASource() {
    assertEquals(Harvest.Opinion.HARVESTS, judge(5, 0));
    assertEquals(Harvest.Opinion.HARVESTS, judge(5, 5));
    assertEquals(Harvest.Opinion.SUSPECT, judge(3, 0));
    assertEquals(Harvest.Opinion.SUSPECT, judge(4, 4));
    // The controls: few, or many among many more.
    assertEquals(Harvest.Opinion.CLEAR, judge(2, 0));
    assertEquals(Harvest.Opinion.CLEAR, judge(5, 6));
    assertEquals(Harvest.Opinion.CLEAR, judge(50, 500));
    assertEquals(Harvest.Opinion.CLEAR, judge(0, 0));
  }

  @Test
  void eachReturnIsBlockedTwiceAsLongUpToACap() {
    Duration first = LIMITS.firstBlock();
    Duration longest = LIMITS.longestBlock();
    List<Long> hours = List.of(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L, 512L, 720L, 720L);
    for (int offence = 1; offence <= hours.size(); offence++) {
      assertEquals(
          hours.get(offence - 1), Block.length(first, longest, offence).toHours(), "" + offence);
    }
    assertEquals(longest, Block.length(first, longest, Integer.MAX_VALUE));
  }

  @Test
  void sourcesAreAddressesAndTheNetworksAroundThem() {
    assertEquals("192.0.2.77", Source.address(InetAddress.ofLiteral("192.0.2.77")).text());
    assertEquals("192.0.2.0/24", Source.network(InetAddress.ofLiteral("192.0.2.77")).text());
    assertEquals("255.255.255.255", Source.parse("255.255.255.255").orElseThrow().text());
    InetAddress six = InetAddress.ofLiteral("2001:db8:1:2:3:4:5:6");
    assertEquals("2001:db8:1:2::/64", Source.address(six).text());
    assertEquals("2001:db8:1:0::/48", Source.network(six).text());
    for (String text :
        List.of(
            "192.0.2.1", "192.0.2.0/24", "2001:db8:1:2::/64", "2001:db8:1:0::/48", "@a.example")) {
      assertEquals(text, Subject.parse(text).orElseThrow().text());
    }
    assertEquals(Optional.of(Source.address(six)), Source.parse("2001:db8:1:2::9"));
    assertEquals(Optional.empty(), Source.parse("192.0.2.0/23"));
    assertEquals(Optional.empty(), Source.parse("example.org"));
    assertTrue(Source.network(six).isNetwork());
    assertFalse(Source.address(six).isNetwork());
  }

  @Test
  void aNameIsMadeByWhatWasSentAndFades() {
    assertEquals(Grade.NEW, new Standing(4, 0).grade());
    assertEquals(Grade.NEUTRAL, new Standing(10, 0).grade());
    assertEquals(Grade.GOOD, new Standing(20, 1).grade());
    assertEquals(Grade.NEUTRAL, new Standing(20, 5).grade());
    assertEquals(Grade.BAD, new Standing(5, 5).grade());
    double kept = 16 * Standing.weight(NOW);
    assertEquals(16, Standing.at(NOW, kept, 0).good(), 1e-6);
    assertEquals(8, Standing.at(NOW.plus(Standing.HALF_LIFE), kept, 0).good(), 1e-6);
    assertEquals(
        4, Standing.at(NOW.plus(Standing.HALF_LIFE.multipliedBy(2)), kept, 0).good(), 1e-6);
    // A bad network counts against those in it that are new, and against nobody else.
    Standing network = new Standing(0, 60);
    assertEquals(Grade.BAD, Standing.NONE.grade(network));
    assertEquals(Grade.GOOD, new Standing(30, 0).grade(network));
    assertEquals(Grade.NEW, Standing.NONE.grade(new Standing(0, 10)));
  }

  @Test
  void limitsFollowTheName() {
    assertEquals(new Allowance(120, 300, 1000), Allowance.of(Grade.NEUTRAL, LIMITS));
    assertEquals(new Allowance(60, 150, 500), Allowance.of(Grade.NEW, LIMITS));
    assertEquals(new Allowance(12, 30, 100), Allowance.of(Grade.BAD, LIMITS));
    // 100 connections, 250 messages and 800 recipients a second from one address.
    assertEquals(new Allowance(6_000, 15_000, 50_000), Allowance.of(Grade.GOOD, LIMITS));
  }

  @Test
  void slowBeforeCut() {
    assertEquals(new Pace.Free(), Rates.pace(100, 100));
    Duration little = assertInstanceOf(Pace.Slow.class, Rates.pace(101, 100)).delay();
    Duration more = assertInstanceOf(Pace.Slow.class, Rates.pace(200, 100)).delay();
    assertTrue(little.compareTo(more) < 0, little + " " + more);
    assertEquals(Duration.ofSeconds(5), more);
    assertEquals(new Pace.Stop(), Rates.pace(201, 100));
  }

  @Test
  void aMeterKnowsTheLastMinute() {
    Meter meter = new Meter();
    for (int i = 1; i <= 60; i++) {
      assertEquals(i, meter.add(NOW));
    }
    assertEquals(60, meter.rate(NOW.plusSeconds(59)));
    assertEquals(30, meter.rate(NOW.plusSeconds(90)));
    assertEquals(0, meter.rate(NOW.plusSeconds(200)));
  }

  @Test
  void aWindowForgetsAndCountsEachUnknownOnce() {
    Window window = new Window(Duration.ofHours(1), Distinct.MAX);
    for (int i = 0; i < 3; i++) {
      window.addUnknown(NOW, HASH.of("nobody@example.org"));
    }
    window.addUnknown(NOW, HASH.of("noone@example.org"));
    window.addKnown(NOW.plusSeconds(1200));
    assertEquals(new Window.Counts(1, 4, 2), window.counts(NOW.plusSeconds(1200)));
    assertEquals(new Window.Counts(1, 0, 0), window.counts(NOW.plusSeconds(3700)));
    assertFalse(window.hasUnknown(NOW.plusSeconds(3700)));
    assertTrue(window.hasUnknown(NOW.plusSeconds(2900)));
  }

  @Test
  void aWindowCountsEachKnownOnceAsLongAsItIsAskedFor() {
    Window window = new Window(Duration.ofHours(1), Distinct.MAX);
    assertTrue(window.addKnown(NOW, 1));
    assertFalse(window.addKnown(NOW, 1));
    assertFalse(window.addKnown(NOW.plusSeconds(1800), 1), "in another slot");
    assertTrue(window.addKnown(NOW.plusSeconds(1800), 2));
    assertEquals(2, window.counts(NOW.plusSeconds(1800)).known());
    assertEquals(2, window.counts(NOW.plusSeconds(4000)).known(), "the first was asked for later");
    assertEquals(0, window.counts(NOW.plusSeconds(6000)).known());
    for (int i = 0; i < 1_000; i++) {
      window.addKnown(NOW.plusSeconds(7200), i);
    }
    // More than can be told apart count all the same: who has so many is no harvester.
    assertEquals(1_000, window.counts(NOW.plusSeconds(7200)).known());
    for (int i = 0; i < 500; i++) {
      assertFalse(window.addKnown(NOW.plusSeconds(7200), 900), "again and again");
    }
    assertEquals(1_000, window.counts(NOW.plusSeconds(7200)).known());
  }

  @Test
  void hashesDependOnTheKey() {
    assertEquals(HASH.of("a@example.org"), new SecretHash(new byte[32]).of("a@example.org"));
    byte[] other = new byte[32];
    other[0] = 1;
    assertTrue(HASH.of("a@example.org") != new SecretHash(other).of("a@example.org"));
    assertTrue(HASH.of("a@example.org") != HASH.of("b@example.org"));
  }

  @Test
  void aSetOfHashesIsBounded() {
    Distinct set = new Distinct(64);
    for (int i = 0; i < 1000; i++) {
      set.add(HASH.of("user" + i));
    }
    assertEquals(64, set.size());
    assertFalse(set.add(HASH.of("user999")));
    assertTrue(set.add(HASH.of("user1")), "there already");
  }
}
