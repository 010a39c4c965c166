package net.postern.auth;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.time.Clock;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.postern.auth.SpfResult.Code;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;

/** Whatever strangers publish, a check ends, and asks the DNS no more than it may. */
class SpfPropertiesTest {
  /**
   * Ten terms of eleven questions; a policy for the domain and each include or redirect among them;
   * the client's names once; the explanation.
   */
  private static final int MOST_QUESTIONS = 10 * 11 + 1 + 11 + 1;

  private static final List<String> NAMES =
      List.of("a.example", "b.example", "c.example", "d.example", "e.example");
  private static final List<String> CLIENTS = List.of("192.0.2.1", "2001:db8::1");

  @Property(tries = 3_000)
  void everyCheckEndsAndIsBounded(
      @ForAll("zones") List<String> records, @ForAll("helos") String helo) {
    MapResolver zone = new MapResolver();
    for (int i = 0; i < NAMES.size(); i++) {
      String name = NAMES.get(i);
      zone.txt(name, records.get(i)).a(name, "192.0.2.77").aaaa(name, "2001:db8::77");
      zone.mx(
          name,
          IntStream.range(0, 10)
              .mapToObj(n -> new MxRecord(n, NAMES.get(n % NAMES.size())))
              .toArray(MxRecord[]::new));
    }
    for (String client : CLIENTS) {
      zone.ptr(client, NAMES.toArray(String[]::new));
      CountingResolver counted = new CountingResolver(zone);
      SpfQuestion question =
          new SpfQuestion(
              InetAddress.ofLiteral(client),
              SpfQuestion.Identity.MAIL_FROM,
              "anna",
              NAMES.getFirst(),
              helo,
              "receiver.example");
      SpfResult result = new Spf(counted, Spf.STANDARD_LIMIT, Clock.systemUTC()).check(question);
      assertTrue(counted.questions() <= MOST_QUESTIONS, counted.questions() + " questions");
      assertTrue(result.code() != Code.NONE, result.toString());
      assertTrue(ReceivedSpf.field(question, result).endsWith("\r\n"));
    }
  }

  /** The control: the bound is not far above what a record can really cost. */
  @Property(tries = 1)
  void theBoundIsReached() {
    MapResolver zone = new MapResolver();
    zone.txt("a.example", "v=spf1 mx mx mx mx mx mx mx mx mx ptr -all exp=%{p}.x.example");
    for (int i = 0; i < 10; i++) {
      zone.a("h" + i + ".example", "192.0.2.77");
    }
    zone.mx(
        "a.example",
        IntStream.range(0, 10)
            .mapToObj(n -> new MxRecord(n, "h" + n + ".example"))
            .toArray(MxRecord[]::new));
    zone.ptr(
        "192.0.2.1",
        IntStream.range(0, 20).mapToObj(n -> "h" + n + ".example").toArray(String[]::new));
    CountingResolver counted = new CountingResolver(zone);
    SpfResult result =
        new Spf(counted, Spf.STANDARD_LIMIT, Clock.systemUTC())
            .check(
                new SpfQuestion(
                    InetAddress.ofLiteral("192.0.2.1"),
                    SpfQuestion.Identity.MAIL_FROM,
                    "anna",
                    "a.example",
                    "a.example",
                    "receiver.example"));
    assertTrue(result.code() == Code.FAIL, result.toString());
    assertTrue(counted.questions() == 1 + 9 * 11 + 11 + 1, counted.questions() + " questions");
  }

  @Provide
  Arbitrary<List<String>> zones() {
    Arbitrary<String> qualifiers = Arbitraries.of("", "+", "-", "~", "?");
    Arbitrary<String> mechanisms =
        Arbitraries.of(
            "all", "a", "mx", "ptr", "include", "exists", "ip4", "ip6", "redirect", "exp", "x");
    Arbitrary<String> values =
        Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(6, Arbitraries.of(NAMES)),
            net.jqwik.api.Tuple.of(
                4,
                Arbitraries.of(
                    "%{d}",
                    "%{p}",
                    "%{ir}.%{v}.example",
                    "%{h}",
                    "%{L1r-}.example",
                    "%{s}",
                    "192.0.2.0/24",
                    "2001:db8::/32",
                    "no.example",
                    "%",
                    "%{",
                    "")),
            net.jqwik.api.Tuple.of(1, Arbitraries.strings().ofMaxLength(12)));
    Arbitrary<String> terms =
        net.jqwik.api.Combinators.combine(
                qualifiers, mechanisms, Arbitraries.of(":", ":", ":", "=", "/", ""), values)
            .as((qualifier, name, separator, value) -> qualifier + name + separator + value);
    Arbitrary<String> good =
        net.jqwik.api.Combinators.combine(
                qualifiers,
                Arbitraries.of("a:", "mx:", "ptr:", "include:", "exists:"),
                Arbitraries.of(NAMES))
            .as((qualifier, name, value) -> qualifier + name + value);
    return Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(3, good.list().ofMaxSize(14)),
            net.jqwik.api.Tuple.of(1, terms.list().ofMaxSize(6)))
        .map(list -> "v=spf1 " + String.join(" ", list))
        .list()
        .ofSize(NAMES.size());
  }

  @Provide
  Arbitrary<String> helos() {
    return Arbitraries.strings().ofMaxLength(60);
  }
}
