package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Optional;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.tenant.Route;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import org.junit.jupiter.api.Test;

/** RFC 5321 §5.1 and RFC 7505. */
class HopFinderTest {
  private final MapResolver dns = new MapResolver();
  private final HopFinder finder = new HopFinder(dns, "gate.example", 2525);

  private List<List<String>> hosts(String domain) {
    HopFinder.Found found = finder.find(new Route.Mx(Route.Tls.OFF), domain);
    Hop hop = assertInstanceOf(HopFinder.Found.At.class, found).hop();
    return assertInstanceOf(Hop.Servers.class, hop).tiers().stream()
        .map(tier -> tier.stream().map(Route.Target::host).toList())
        .toList();
  }

  private String permanent(String domain) {
    HopFinder.Found found = finder.find(new Route.Mx(Route.Tls.OFF), domain);
    DeliveryResult result = assertInstanceOf(HopFinder.Found.Nowhere.class, found).result();
    return assertInstanceOf(DeliveryResult.Permanent.class, result).why().status();
  }

  private String later(String domain) {
    HopFinder.Found found = finder.find(new Route.Mx(Route.Tls.OFF), domain);
    DeliveryResult result = assertInstanceOf(HopFinder.Found.Nowhere.class, found).result();
    return assertInstanceOf(DeliveryResult.Transient.class, result).why().status();
  }

  @Test
  void exchangersAreOrderedByPreference() {
    dns.mx(
        "a.example",
        new MxRecord(20, "third.example"),
        new MxRecord(5, "first.example"),
        new MxRecord(10, "two-b.example"),
        new MxRecord(10, "two-a.example"));
    assertEquals(
        List.of(
            List.of("first.example"),
            List.of("two-a.example", "two-b.example"),
            List.of("third.example")),
        hosts("a.example"));
  }

  @Test
  void aDomainWithoutMxIsItsOwnExchanger() {
    dns.a("a.example", "192.0.2.1");
    assertEquals(List.of(List.of("a.example")), hosts("a.example"));
    dns.aaaa("six.example", "2001:db8::1");
    assertEquals(List.of(List.of("six.example")), hosts("six.example"));
  }

  @Test
  void anMxWithoutAnswerIsNotAnImplicitOne() {
    dns.a("a.example", "192.0.2.1").failing("a.example", "timeout");
    assertEquals("4.4.3", later("a.example"));
  }

  @Test
  void nullMxIsForGood() {
    dns.mx("a.example", new MxRecord(0, "")).a("a.example", "192.0.2.1");
    assertEquals("5.1.10", permanent("a.example"));
  }

  @Test
  void noSuchDomainAndNoAddressAreForGood() {
    dns.txt("text.example", "hello");
    assertEquals("5.1.2", permanent("none.example"));
    assertEquals("5.1.2", permanent("text.example"));
  }

  @Test
  void weAreSkippedWithAllThatAreNoBetter() {
    dns.mx(
        "a.example",
        new MxRecord(5, "better.example"),
        new MxRecord(10, "GATE.example"),
        new MxRecord(10, "equal.example"),
        new MxRecord(20, "worse.example"));
    assertEquals(List.of(List.of("better.example")), hosts("a.example"));
    dns.mx("only.example", new MxRecord(10, "gate.example"), new MxRecord(20, "worse.example"));
    assertEquals("5.4.6", permanent("only.example"));
  }

  @Test
  void anAddressLiteralNeedsNoDns() {
    assertEquals(List.of(List.of("192.0.2.7")), hosts("[192.0.2.7]"));
    assertEquals(List.of(List.of("2001:db8:0:0:0:0:0:1")), hosts("[ipv6:2001:db8::1]"));
    assertEquals("5.1.2", permanent("[nonsense]"));
  }

  @Test
  void mailGoesByMxOverTheNetwork() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world =
            DeliveryWorld.start(DeliveryWorld.config(4, 4), peer.port(), Optional.empty())) {
      world.dns.mx("a.example", new MxRecord(10, "gone.example"), new MxRecord(20, "mail.example"));
      world.dns.a("mail.example", "127.0.0.1");
      world.routes.put("a.example", new Route.Mx(Route.Tls.OPPORTUNISTIC));
      MessageId id = world.letter("one@a.example").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(1, peer.received().size());
    }
  }

  /** The control is the test above: the same exchanger, in an inside network that is allowed. */
  @Test
  void aStrangersDnsDoesNotLeadInside() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world =
            DeliveryWorld.start(
                DeliveryWorld.shutInside(DeliveryWorld.config(4, 4)),
                peer.port(),
                Optional.empty())) {
      world.dns.mx("a.example", new MxRecord(20, "mail.example"));
      world.dns.a("mail.example", "127.0.0.1");
      for (String domain : List.of("a.example", "[127.0.0.1]", "[ipv6:::1]")) {
        world.routes.put(domain, new Route.Mx(Route.Tls.OPPORTUNISTIC));
        MessageId id = world.letter("one@" + domain).dispatch();
        Await.until(
            () ->
                world.events.stream()
                    .anyMatch(
                        event ->
                            event instanceof MailEvent.Deferred deferred
                                && deferred.message().equals(id)
                                && deferred.reply().contains("inside addresses")));
      }
      assertEquals(0, peer.connections());
    }
  }
}
