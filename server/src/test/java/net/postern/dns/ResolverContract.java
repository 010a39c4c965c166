package net.postern.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What every resolver does. An implementation is given the zone {@link #ZONE} and that of the
 * addresses {@link #REVERSE}; questions below {@link #BROKEN} end with an error of the server.
 */
abstract class ResolverContract {
  static final String BROKEN = "broken.example";

  /** Records of one text; more than a UDP packet holds. */
  static final int LARGE = 40;

  static final String ZONE =
      """
      $ORIGIN contract.example.
      $TTL 300
      @ IN SOA ns hostmaster 1 3600 600 86400 60
      @ NS ns
      @ MX 10 mx1
      @ MX 20 MX2
      @ TXT "v=spf1 " "mx -all"
      @ TXT "something else"
      ns A 192.0.2.53
      mx1 A 192.0.2.1
      mx1 A 192.0.2.2
      mx1 AAAA 2001:db8::1
      mx2 A 192.0.2.3
      null MX 0 .
      utf8 TXT "m\\195\\188nz"
      alias CNAME second
      second CNAME mx1
      dangling CNAME nothing
      circle CNAME round
      round CNAME circle
      under_score A 192.0.2.4
      strange\\032name A 192.0.2.5
      """
          + IntStream.range(0, LARGE)
              .mapToObj(i -> "large TXT \"" + text(i) + "\"\n")
              .reduce("", String::concat);

  static final String REVERSE =
      """
      $ORIGIN 2.0.192.in-addr.arpa.
      $TTL 300
      @ IN SOA ns.contract.example. hostmaster.contract.example. 1 3600 600 86400 60
      @ NS ns.contract.example.
      1 PTR MX1.contract.example.
      2 PTR mx2.contract.example.
      3 CNAME 3.half
      3.half PTR mx2.contract.example.
      """;

  /** One of {@link #LARGE} texts. */
  static String text(int number) {
    return number + " " + "x".repeat(100);
  }

  /** The resolver with these zones. */
  abstract Resolver resolver();

  private static InetAddress address(String literal) {
    return InetAddress.ofLiteral(literal);
  }

  @Test
  void exchangers() {
    Answer<MxRecord> found = resolver().mx("contract.example");
    assertEquals(
        List.of(new MxRecord(10, "mx1.contract.example"), new MxRecord(20, "mx2.contract.example")),
        found.orNone().stream().sorted(Comparator.comparingInt(MxRecord::preference)).toList());
    assertEquals(
        new Answer.Found<>(List.of(new MxRecord(0, ""))), resolver().mx("null.contract.example"));
  }

  @Test
  void addresses() {
    assertEquals(
        Set.of(address("192.0.2.1"), address("192.0.2.2")),
        Set.copyOf(resolver().a("mx1.contract.example").orNone()));
    assertEquals(
        new Answer.Found<>(List.of(address("2001:db8::1"))),
        resolver().aaaa("mx1.contract.example"));
    assertEquals(
        new Answer.Found<>(List.of(address("192.0.2.4"))),
        resolver().a("under_score.contract.example"));
    assertEquals(
        new Answer.Found<>(List.of(address("192.0.2.5"))),
        resolver().a("strange name.contract.example"));
  }

  @Test
  void caseAndFinalDotMakeNoDifference() {
    assertEquals(
        new Answer.Found<>(List.of(address("192.0.2.3"))), resolver().a("MX2.Contract.Example."));
  }

  @Test
  void texts() {
    assertEquals(
        Set.of("v=spf1 mx -all", "something else"),
        Set.copyOf(resolver().txt("contract.example").orNone()));
    assertEquals(new Answer.Found<>(List.of("münz")), resolver().txt("utf8.contract.example"));
  }

  /** What does not fit a UDP packet comes whole (RFC 7766 §5). */
  @Test
  void largeAnswers() {
    Set<String> found = Set.copyOf(resolver().txt("large.contract.example").orNone());
    assertEquals(LARGE, found.size());
    assertTrue(found.contains(text(LARGE - 1)), found.toString());
  }

  @Test
  void aliasesAreFollowed() {
    assertEquals(
        new Answer.Found<>(List.of(address("2001:db8::1"))),
        resolver().aaaa("alias.contract.example"));
    assertInstanceOf(Answer.NoData.class, resolver().txt("alias.contract.example"));
    assertInstanceOf(Answer.NxDomain.class, resolver().a("dangling.contract.example"));
    assertInstanceOf(Answer.Failure.class, resolver().a("circle.contract.example"));
  }

  @Test
  void namesOfAddresses() {
    assertEquals(
        new Answer.Found<>(List.of("mx1.contract.example")), resolver().ptr(address("192.0.2.1")));
    assertEquals(
        new Answer.Found<>(List.of("mx2.contract.example")), resolver().ptr(address("192.0.2.3")));
    assertInstanceOf(Answer.NxDomain.class, resolver().ptr(address("192.0.2.9")));
  }

  @Test
  void nothingIsToldFromNoSuchName() {
    assertInstanceOf(Answer.NoData.class, resolver().mx("mx1.contract.example"));
    assertInstanceOf(Answer.NoData.class, resolver().a("contract.example"));
    assertInstanceOf(Answer.NxDomain.class, resolver().a("nothing.contract.example"));
    assertInstanceOf(Answer.NxDomain.class, resolver().mx("nothing.contract.example"));
  }

  @Test
  void anErrorIsNeverNothing() {
    assertInstanceOf(Answer.Failure.class, resolver().a("x." + BROKEN));
    assertInstanceOf(Answer.Failure.class, resolver().txt("x." + BROKEN));
  }

  @Test
  void whatIsNoNameDoesNotExist() {
    for (String odd : List.of("x".repeat(64) + ".example", "a..b.contract.example", ".x.example")) {
      assertInstanceOf(Answer.NxDomain.class, resolver().a(odd), odd);
    }
  }

  @Test
  void lessTimeGivesTheSameAnswers() {
    assertEquals(
        new Answer.Found<>(List.of(address("192.0.2.3"))),
        resolver().within(Duration.ofSeconds(5)).a("mx2.contract.example"));
  }

  @Test
  void clientsAreNamed() {
    assertEquals(
        new ReverseName.Verified("mx1.contract.example"),
        ReverseName.verify(address("192.0.2.1"), resolver()));
    assertEquals(
        new ReverseName.Unverified("mx2.contract.example"),
        ReverseName.verify(address("192.0.2.2"), resolver()));
    assertEquals(new ReverseName.None(), ReverseName.verify(address("192.0.2.9"), resolver()));
  }
}
