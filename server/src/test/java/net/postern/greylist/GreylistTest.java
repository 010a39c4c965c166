package net.postern.greylist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.address.EmailAddress;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.greylist.Greylist.Answer;
import net.postern.id.CustomerId;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes over one database, on a clock that is moved. */
class GreylistTest {
  private static final CustomerId CUSTOMER = CustomerId.create();
  private static final Optional<String> NO = Optional.empty();

  private final ManualClock clock = new ManualClock(Instant.parse("2026-06-01T12:00:00Z"));
  private final Database database = TestDatabase.open();
  private final Greylist here = new Greylist(database, TestConfig.greylist(), clock);
  private final Greylist there = new Greylist(database, TestConfig.greylist(), clock);

  @AfterEach
  void close() {
    database.close();
  }

  private static Triple triple(
      String client, Optional<String> spf, Optional<String> host, String from, String to) {
    return new Triple(
        CUSTOMER,
        InetAddress.ofLiteral(client),
        spf,
        host,
        EmailAddress.parse(from).orElseThrow(),
        EmailAddress.parse(to).orElseThrow());
  }

  private static Triple from(String client, String sender) {
    return triple(client, NO, NO, sender, "anna@example.org");
  }

  private void isPutOff(Greylist node, Triple triple) {
    assertInstanceOf(Answer.Later.class, node.attempt(triple), triple.toString());
  }

  private void passes(Greylist node, Triple triple) {
    assertInstanceOf(Answer.Pass.class, node.attempt(triple), triple.toString());
  }

  @Test
  void theRetryPassesAtTheOtherNode() {
    Triple triple = from("192.0.2.1", "a@example.com");
    assertEquals(new Answer.Later(120), here.attempt(triple));
    assertEquals(new Answer.Later(120), there.attempt(triple));
    clock.advance(Duration.ofSeconds(119));
    assertEquals(new Answer.Later(1), there.attempt(triple));
    clock.advance(Duration.ofSeconds(1));
    passes(there, triple);
    passes(here, triple);
    assertEquals(1, here.putOff());
    assertEquals(2, there.putOff());
  }

  /** A provider's queue goes on at another server of the same network. */
  @Test
  void patternOneRetryFromTheSameNetwork() {
    isPutOff(here, from("192.0.2.1", "a@example.com"));
    clock.advance(Duration.ofMinutes(5));
    passes(there, from("192.0.2.254", "a@example.com"));
    // The control: the next network is not this one.
    isPutOff(here, from("192.0.3.1", "a@example.com"));
  }

  /** A provider with pools all over the world: SPF says that they are one. */
  @Test
  void patternTwoRetryFromAPoolThatSpfKnows() {
    Optional<String> proven = Optional.of("example.com");
    isPutOff(here, triple("192.0.2.1", proven, NO, "a@example.com", "anna@example.org"));
    clock.advance(Duration.ofMinutes(10));
    passes(there, triple("203.0.113.9", proven, NO, "a@example.com", "anna@example.org"));
    // Its domain is known now: nobody of it waits.
    passes(here, triple("198.51.100.3", proven, NO, "b@example.com", "ben@example.org"));
    // The control: who is not proven waits.
    isPutOff(here, triple("198.51.100.3", NO, NO, "c@example.com", "ben@example.org"));
  }

  /** First IPv6, then IPv4, as when the first connection was refused by a middle box. */
  @Test
  void patternThreeRetryByTheOtherProtocol() {
    Optional<String> proven = Optional.of("example.com");
    isPutOff(here, triple("2001:db8::1", proven, NO, "a@example.com", "anna@example.org"));
    clock.advance(Duration.ofMinutes(10));
    passes(there, triple("192.0.2.1", proven, NO, "a@example.com", "anna@example.org"));
    // Without SPF the second retry passes, for it is one of the two addresses again.
    isPutOff(here, from("2001:db8:1::1", "a@example.net"));
    clock.advance(Duration.ofMinutes(10));
    isPutOff(there, from("198.51.100.1", "a@example.net"));
    clock.advance(Duration.ofMinutes(10));
    passes(here, from("2001:db8:1::2", "a@example.net"));
  }

  /** A reverse-path that is signed or counted anew for each attempt: BATV, SRS, VERP. */
  @Test
  void patternFourRetryWithAnotherReversePath() {
    String[][] pairs = {
      {"prvs=0123456789=bob@example.com", "prvs=9876543210=bob@example.com"},
      {
        "SRS0=Ab1c=X7=origin.example=bob@example.net", "SRS0=Zz9y=X8=origin.example=bob@example.net"
      },
      {
        "bounce-4711-17-anna=example.org@list.example",
        "bounce-4712-18-anna=example.org@list.example"
      },
      {"bob+tag1@example.com", "bob+tag2@example.com"},
      {"bounces+123@news.example", "bounces+124@news.example"},
      {"bounces+123-anna=example.org@news.example", "bounces+99-anna=example.org@news.example"},
      {"0100018f-4a2b-1d3c@ses.example", "0100018f-77ff-9e0a@ses.example"}
    };
    int network = 1;
    for (String[] pair : pairs) {
      String client = "192.0." + network++ + ".1";
      isPutOff(here, from(client, pair[0]));
      clock.advance(Duration.ofMinutes(5));
      passes(there, from(client, pair[1]));
    }
    // The control: another person is another sender.
    isPutOff(here, from("198.51.100.1", "bob@example.com"));
    clock.advance(Duration.ofMinutes(5));
    isPutOff(here, from("198.51.100.1", "eve@example.com"));
  }

  /** Queues that come again late: after 15 minutes, after an hour, after a weekend's outage. */
  @Test
  void patternFiveRetryAfterALongTime() {
    int network = 1;
    for (Duration wait :
        new Duration[] {Duration.ofMinutes(15), Duration.ofHours(1), Duration.ofHours(47)}) {
      Triple triple = from("192.0." + network++ + ".1", "a@example.com");
      isPutOff(here, triple);
      clock.advance(wait);
      passes(there, triple);
    }
    // The control: after the window it begins anew.
    Triple late = from("192.0.100.1", "a@example.com");
    isPutOff(here, late);
    clock.advance(Duration.ofHours(49));
    isPutOff(there, late);
    clock.advance(Duration.ofMinutes(2));
    passes(there, late);
  }

  /** IPv6: a provider's servers share a /64, and the retry comes from any address of it. */
  @Test
  void retryFromTheSameNetworkOfIpv6() {
    isPutOff(here, from("2001:db8:1:2::1", "a@example.com"));
    clock.advance(Duration.ofMinutes(5));
    passes(there, from("2001:db8:1:2:ffff:ffff:ffff:ffff", "a@example.com"));
    // The control: the next /64, which passes when it comes again.
    isPutOff(here, from("2001:db8:1:3::1", "a@example.com"));
    clock.advance(Duration.ofMinutes(5));
    passes(there, from("2001:db8:1:3::2", "a@example.com"));
  }

  /** A server that calls itself by its verified name now and by another one the next time. */
  @Test
  void retryUnderAnotherHeloName() {
    Optional<String> host = Optional.of("pool.example");
    Triple named = triple("192.0.2.1", NO, host, "a@example.com", "anna@example.org");
    Triple unnamed = triple("192.0.2.9", NO, NO, "a@example.com", "anna@example.org");
    isPutOff(here, named);
    clock.advance(Duration.ofMinutes(5));
    isPutOff(there, unnamed);
    clock.advance(Duration.ofMinutes(5));
    passes(here, unnamed);
    // The second retry passes under the first name too.
    passes(there, named);
  }

  /** A pool without anything in common: the second retry comes from a network that was seen. */
  @Test
  void retryFromTwoNetworksThatNothingJoins() {
    isPutOff(here, from("192.0.2.1", "a@example.com"));
    clock.advance(Duration.ofMinutes(5));
    isPutOff(there, from("198.51.100.1", "a@example.com"));
    clock.advance(Duration.ofMinutes(10));
    passes(here, from("198.51.100.7", "a@example.com"));
  }

  /** Both nodes get an attempt at the same moment, and the retry counts from the first. */
  @Test
  void attemptsAtBothNodesAreOne() throws Exception {
    Triple triple = from("192.0.2.1", "a@example.com");
    CyclicBarrier start = new CyclicBarrier(2);
    List<Answer> answers = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (Greylist node : List.of(here, there)) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      start.await();
                      answers.add(node.attempt(triple));
                    } catch (InterruptedException | BrokenBarrierException e) {
                      throw new IllegalStateException(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(new Answer.Later(120), new Answer.Later(120)), answers);
    clock.advance(Duration.ofMinutes(2));
    passes(there, triple);
  }

  /** A pool without SPF whose servers have names of one domain and call themselves by these. */
  @Test
  void aPoolIsKnownByItsVerifiedNames() {
    Optional<String> host = Optional.of("pool.example");
    isPutOff(here, triple("192.0.2.1", NO, host, "a@example.com", "anna@example.org"));
    clock.advance(Duration.ofMinutes(5));
    passes(there, triple("203.0.113.1", NO, host, "a@example.com", "anna@example.org"));
  }

  @Test
  void aNetworkThatPassedOftenIsNotPutOffAnyMore() {
    for (int i = 0; i < Greylist.PASSES_OF_NETWORK; i++) {
      Triple triple = from("192.0.2." + (i + 1), "person" + "abcdefgh".charAt(i) + "@example.com");
      isPutOff(here, triple);
      clock.advance(Duration.ofMinutes(3));
      passes(here, triple);
    }
    passes(there, from("192.0.2.200", "new@other.example"));
    isPutOff(there, from("192.0.3.200", "new@other.example"));
  }

  @Test
  void aPassLivesAsLongAsMailComesAndThenEnds() {
    Triple triple = from("192.0.2.1", "a@example.com");
    isPutOff(here, triple);
    clock.advance(Duration.ofMinutes(5));
    passes(here, triple);
    for (int month = 0; month < 3; month++) {
      clock.advance(Duration.ofDays(35));
      passes(month % 2 == 0 ? here : there, triple);
    }
    clock.advance(Duration.ofDays(36));
    isPutOff(here, triple);
  }

  @Test
  void customersKnowNothingOfEachOther() {
    Triple one = from("192.0.2.1", "a@example.com");
    Triple other =
        new Triple(CustomerId.create(), one.client(), NO, NO, one.reversePath(), one.recipient());
    isPutOff(here, one);
    clock.advance(Duration.ofMinutes(5));
    passes(here, one);
    isPutOff(here, other);
  }

  @Test
  void whatExpiredIsForgotten() {
    isPutOff(here, from("192.0.2.1", "a@example.com"));
    assertEquals(0, here.forget());
    clock.advance(Duration.ofDays(2));
    assertEquals(1, here.forget());
  }

  @Test
  void nothingIsPutOffWhileTheDatabaseIsAway() {
    AtomicLong nanos = new AtomicLong();
    Greylist node = new Greylist(database, TestConfig.greylist(), clock, nanos::get);
    Triple known = from("192.0.2.1", "a@example.com");
    isPutOff(node, known);
    TestDatabase.takeAway(database);
    try {
      assertInstanceOf(Answer.Unknown.class, node.attempt(from("192.0.9.1", "b@example.com")));
    } finally {
      TestDatabase.bringBack(database);
    }
    // The next ones do not wait for it: it would answer, and is not asked.
    nanos.addAndGet(Duration.ofMillis(1_999).toNanos());
    assertInstanceOf(Answer.Unknown.class, node.attempt(known));
    assertEquals(2, node.unasked());
    // The control: it is only left alone for a moment.
    nanos.addAndGet(Duration.ofMillis(1).toNanos());
    isPutOff(node, known);
    assertEquals(2, node.unasked());
  }
}
