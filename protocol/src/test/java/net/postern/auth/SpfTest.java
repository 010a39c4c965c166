package net.postern.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.postern.address.EmailAddress;
import net.postern.auth.SpfResult.Code;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;
import org.junit.jupiter.api.Test;

class SpfTest {
  private static final InetAddress MAIL = InetAddress.ofLiteral("192.0.2.10");
  private static final InetAddress STRANGER = InetAddress.ofLiteral("203.0.113.5");
  private static final Clock CLOCK =
      Clock.fixed(Instant.ofEpochSecond(1_700_000_000), ZoneOffset.UTC);

  private final MapResolver dns =
      new MapResolver()
          .txt("example.com", "some other text", "v=spf1 mx include:relay.example -all")
          .mx("example.com", new MxRecord(10, "mx.example.com"))
          .a("mx.example.com", "192.0.2.10")
          .aaaa("mx.example.com", "2001:db8::10")
          .txt("relay.example", "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 ?all");
  private final Spf spf = new Spf(dns, Spf.STANDARD_LIMIT, CLOCK);

  private static SpfQuestion from(InetAddress client, String domain) {
    return SpfQuestion.mailFrom(
        client, EmailAddress.parse("anna@" + domain), "mail.example.com", "mx.receiver.example");
  }

  private SpfResult check(String client) {
    return spf.check(from(InetAddress.ofLiteral(client), "example.com"));
  }

  private Code code(String record, InetAddress client) {
    dns.txt("other.example", record);
    return spf.check(from(client, "other.example")).code();
  }

  @Test
  void theDomainSaysWhoMaySend() {
    SpfResult pass = check("192.0.2.10");
    assertEquals(
        new SpfResult(Code.PASS, "example.com", Optional.empty(), Optional.of("mx"), ""), pass);
    assertEquals(Code.PASS, check("2001:db8::10").code());
    assertEquals(Optional.of("include:relay.example"), check("198.51.100.7").mechanism());
    assertEquals(Code.PASS, check("2001:db8:1::7").code());
    SpfResult fail = check("203.0.113.5");
    assertEquals(Code.FAIL, fail.code());
    assertEquals(Optional.of("-all"), fail.mechanism());
    assertEquals(Code.FAIL, check("2001:db8:2::7").code());
  }

  @Test
  void aDomainWithoutPolicySaysNothing() {
    assertEquals(Code.NONE, spf.check(from(MAIL, "mx.example.com")).code());
    SpfResult missing = spf.check(from(MAIL, "missing.example"));
    assertEquals(Code.NONE, missing.code());
    assertEquals("the domain missing.example does not exist", missing.problem());
  }

  @Test
  void theHeloNameStandsInForTheNullReversePath() {
    dns.txt("mail.example.com", "v=spf1 a -all").a("mail.example.com", "192.0.2.10");
    SpfQuestion bounce =
        SpfQuestion.mailFrom(MAIL, Optional.empty(), "Mail.Example.com", "mx.receiver.example");
    assertEquals("postmaster@mail.example.com", bounce.sender());
    assertEquals(Code.PASS, spf.check(bounce).code());
    SpfQuestion helo = SpfQuestion.helo(STRANGER, "mail.example.com", "mx.receiver.example");
    assertEquals(Code.FAIL, spf.check(helo).code());
    for (String odd : new String[] {"localhost", "[192.0.2.10]", "", ".", "a..b", "müller.de"}) {
      SpfQuestion question = SpfQuestion.helo(MAIL, odd, "mx.receiver.example");
      assertEquals(Code.NONE, spf.check(question).code(), odd);
    }
  }

  @Test
  void aServerThatIsSilentIsAskedLater() {
    dns.failing("mx.example.com", "no answer");
    SpfResult result = check("192.0.2.10");
    assertEquals(Code.TEMPERROR, result.code());
    assertEquals("no answer", result.problem());
    dns.mended("mx.example.com");
    assertEquals(Code.PASS, check("192.0.2.10").code());
  }

  @Test
  void mistakesAreNamed() {
    dns.txt("other.example", "v=spf1 ip4:192.0.2.300 -all");
    assertEquals(
        "SPF record of other.example: \"ip4:192.0.2.300\" is not by the rules",
        spf.check(from(MAIL, "other.example")).problem());
    dns.txt("other.example", "v=spf1 -all", "v=spf1 +all");
    assertEquals(
        "SPF record of other.example: there are 2 SPF records",
        spf.check(from(MAIL, "other.example")).problem());
    assertEquals(Code.PERMERROR, code("v=spf1 ipv4:192.0.2.1 -all", MAIL));
    assertEquals(Code.PERMERROR, code("v=spf1 " + "a".repeat(SpfRecord.MAX_LENGTH), MAIL));
    assertEquals(Code.PASS, code("v=spf1 ip4:192.0.2.10 -all", MAIL));
    assertEquals(Code.NONE, code("v=spf2 ip4:192.0.2.10 -all", MAIL));
  }

  @Test
  void networksEndWhereTheySay() {
    for (int prefix = 0; prefix <= 32; prefix++) {
      String inside = "v=spf1 ip4:192.0.2.10/" + prefix + " -all";
      assertEquals(Code.PASS, code(inside, MAIL), inside);
      if (prefix > 0) {
        byte[] other = MAIL.getAddress();
        other[(prefix - 1) / 8] ^= (byte) (0x80 >> ((prefix - 1) % 8));
        String outside = "v=spf1 ip4:" + SpfAddresses.readable(other) + "/" + prefix + " -all";
        assertEquals(Code.FAIL, code(outside, MAIL), outside);
      }
    }
  }

  @Test
  void whatADomainMayCostIsBounded() {
    String ten = IntStream.range(0, 10).mapToObj(i -> "a").collect(Collectors.joining(" "));
    dns.a("other.example", "192.0.2.99");
    assertEquals(Code.FAIL, code("v=spf1 " + ten + " -all", MAIL));
    assertEquals(Code.PERMERROR, code("v=spf1 " + ten + " a -all", MAIL));
    assertEquals(Code.FAIL, code("v=spf1 a:no1.example a:no2.example -all", MAIL));
    assertEquals(
        Code.PERMERROR, code("v=spf1 a:no1.example a:no2.example a:no3.example -all", MAIL));
    assertEquals(Code.PERMERROR, code("v=spf1 include:other.example -all", MAIL));
    assertEquals(Code.PERMERROR, code("v=spf1 redirect=other.example", MAIL));
  }

  @Test
  void aCheckThatTakesTooLongIsTriedLater() {
    AtomicLong now = new AtomicLong();
    Spf slow = new Spf(dns, Duration.ofSeconds(1), CLOCK, () -> now.getAndAdd(400_000_000));
    SpfResult result = slow.check(from(STRANGER, "example.com"));
    assertEquals(Code.TEMPERROR, result.code());
    assertEquals("the check took longer than 1000 ms", result.problem());
    Spf quick = new Spf(dns, Duration.ofSeconds(1), CLOCK, () -> now.getAndAdd(100_000_000));
    assertEquals(Code.FAIL, quick.check(from(STRANGER, "example.com")).code());
  }

  @Test
  void theDomainExplainsItself() {
    dns.txt("other.example", "v=spf1 -all exp=why.%{d}")
        .txt("why.other.example", "%{c} is not ours, %{L}; %{r} at %{t}");
    assertEquals(
        Optional.of("203.0.113.5 is not ours, anna; mx.receiver.example at 1700000000"),
        spf.check(from(STRANGER, "other.example")).explanation());
    dns.txt("why.other.example", "%{h} " + "x".repeat(1_000));
    SpfQuestion odd =
        new SpfQuestion(
            STRANGER, SpfQuestion.Identity.MAIL_FROM, "a", "other.example", "e\r\nvil\u202e", "r");
    String told = spf.check(odd).explanation().orElseThrow();
    assertTrue(told.startsWith("e??vil? x"), told);
    assertEquals(SpfResult.MAX_EXPLANATION, told.length());
  }

  @Test
  void addressesAreWrittenAsPeopleDo() {
    for (String text :
        new String[] {
          "2001:db8::1",
          "::",
          "::1",
          "1::",
          "1:0:2::3",
          "2001:db8:1:2:3:4:5:6",
          "1::2:0:0:3:4",
          "0:1::",
          "192.0.2.1",
          "fe80::1:0:2"
        }) {
      byte[] address = InetAddress.ofLiteral(text).getAddress();
      String written = SpfAddresses.readable(address);
      assertEquals(InetAddress.ofLiteral(text), InetAddress.ofLiteral(written), written);
    }
    assertEquals(
        "2001:db8::1", SpfAddresses.readable(InetAddress.ofLiteral("2001:db8::1").getAddress()));
    assertEquals("::", SpfAddresses.readable(InetAddress.ofLiteral("::").getAddress()));
    assertEquals("1:0:2::3", SpfAddresses.readable(InetAddress.ofLiteral("1:0:2::3").getAddress()));
  }

  @Test
  void whoReadsTheMessageSeesTheResult() {
    SpfQuestion question = from(MAIL, "example.com");
    assertEquals(
        "Received-SPF: pass\r\n"
            + "\t(mx.receiver.example: domain of example.com designates 192.0.2.10 as permitted"
            + " sender)\r\n"
            + "\treceiver=mx.receiver.example;\r\n"
            + "\tidentity=mailfrom;\r\n"
            + "\tclient-ip=192.0.2.10;\r\n"
            + "\tenvelope-from=\"anna@example.com\";\r\n"
            + "\thelo=mail.example.com;\r\n"
            + "\tmechanism=mx\r\n",
        ReceivedSpf.field(question, spf.check(question)));
    assertEquals(
        "spf=pass (mx.receiver.example: domain of example.com designates 192.0.2.10 as permitted"
            + " sender) smtp.mailfrom=example.com",
        ReceivedSpf.authenticationResult(question, spf.check(question)));
    SpfQuestion helo = SpfQuestion.helo(MAIL, "none.example", "mx.receiver.example");
    assertTrue(
        ReceivedSpf.authenticationResult(helo, spf.check(helo))
            .endsWith(" smtp.helo=none.example"));
  }

  @Test
  void nobodyForgesAFieldThroughAnother() {
    SpfQuestion evil =
        new SpfQuestion(
            InetAddress.ofLiteral("2001:db8::5"),
            SpfQuestion.Identity.MAIL_FROM,
            "\"x\"; spf=pass\r\nX-Evil: 1",
            "evil\").example\r\n.com",
            "a (comment) \\\" b\r\nX-Evil: 2",
            "mx.receiver.example");
    for (String field :
        new String[] {
          ReceivedSpf.field(evil, spf.check(evil)),
          "x\r\n\t" + ReceivedSpf.authenticationResult(evil, spf.check(evil)) + "\r\n"
        }) {
      String[] lines = field.split("\r\n", -1);
      for (int i = 1; i < lines.length - 1; i++) {
        assertTrue(lines[i].startsWith("\t"), field);
      }
      assertTrue(field.chars().allMatch(c -> c < 0x7f && (c >= ' ' || "\r\n\t".indexOf(c) >= 0)));
    }
    String comment = ReceivedSpf.field(evil, spf.check(evil)).split("\r\n", -1)[1];
    assertTrue(comment.matches("\t\\([^()\\\\]*\\)"), comment);
    assertTrue(ReceivedSpf.field(evil, spf.check(evil)).contains("client-ip=\"2001:db8::5\";"));
  }

  /** A record may ask for names of a million octets; that is to cost no more than others. */
  @Test
  void macrosWithoutEndCostLittle() {
    String domain = "a.".repeat(120) + "example";
    MapResolver hostile =
        new MapResolver().txt(domain, "v=spf1 exists:" + "%{d}".repeat(4_000) + ".example -all");
    // What it costs, not how long it takes: others want the processor too.
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadCpuTime();
    SpfResult result = new Spf(hostile, Spf.STANDARD_LIMIT, CLOCK).check(from(STRANGER, domain));
    long cost = threads.getCurrentThreadCpuTime() - before;
    assertEquals(SpfResult.Code.PERMERROR, result.code());
    assertTrue(cost < Duration.ofSeconds(2).toNanos(), () -> "it cost " + cost / 1_000_000 + " ms");
    // The control: a name that is a little too long loses labels on its left (RFC 7208 §7.3).
    MapResolver mild = new MapResolver().txt(domain, "v=spf1 exists:%{d}.%{d}.example -all");
    assertEquals(
        SpfResult.Code.FAIL,
        new Spf(mild, Spf.STANDARD_LIMIT, CLOCK).check(from(STRANGER, domain)).code());
  }
}
