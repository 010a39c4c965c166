package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.Settlement;
import net.postern.smtp.client.SmtpClientConfig;
import net.postern.tenant.Route;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import net.postern.testkit.TestCertificate;
import org.junit.jupiter.api.Test;

class TlsDeliveryTest {
  private static final TestCertificate CERTIFICATE = TestCertificate.forName("127.0.0.1");

  @Test
  void opportunisticTakesASelfSignedCertificate() throws Exception {
    try (SmtpPeer peer = SmtpPeer.withTls(SmtpPeer.ACCEPTING, CERTIFICATE);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertTrue(peer.received().getFirst().tls());
    }
  }

  @Test
  void offStaysPlain() throws Exception {
    try (SmtpPeer peer = SmtpPeer.withTls(SmtpPeer.ACCEPTING, CERTIFICATE);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.routes.put("example.com", DeliveryWorld.smtp(Route.Tls.OFF, peer));
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertFalse(peer.received().getFirst().tls());
    }
  }

  @Test
  void verifiedRefusesASelfSignedCertificateAndTheMailWaits() throws Exception {
    try (SmtpPeer peer = SmtpPeer.withTls(SmtpPeer.ACCEPTING, CERTIFICATE);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.routes.put("example.com", DeliveryWorld.smtp(Route.Tls.VERIFIED, peer));
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      String reply = world.ledger.settled(Settlement.Retry.class).getFirst().reply();
      assertTrue(reply.contains("TLS"), reply);
      assertEquals(0, peer.received().size());
      assertTrue(peer.commands().stream().noneMatch(c -> c.startsWith("MAIL")));
      assertTrue(world.ledger.state(id) != DeliveryState.RETURNED);
    }
  }

  @Test
  void verifiedRefusesAServerWithoutTls() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.routes.put("example.com", DeliveryWorld.smtp(Route.Tls.VERIFIED, peer));
      MessageId _ = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      assertEquals(0, peer.received().size());
    }
  }

  private static DeliveryWorld trusting(TestCertificate certificate) {
    return DeliveryWorld.start(
        DeliveryWorld.config(4, 4),
        25,
        Optional.of(
            new SmtpClientConfig(
                DeliveryWorld.HOST,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                certificate.trustingContext())));
  }

  @Test
  void verifiedTakesATrustedCertificateOfThatName() throws Exception {
    try (SmtpPeer peer = SmtpPeer.withTls(SmtpPeer.ACCEPTING, CERTIFICATE);
        DeliveryWorld world = trusting(CERTIFICATE)) {
      world.routes.put("example.com", DeliveryWorld.smtp(Route.Tls.VERIFIED, peer));
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertTrue(peer.received().getFirst().tls());
    }
  }

  @Test
  void verifiedRefusesATrustedCertificateOfAnotherName() throws Exception {
    TestCertificate other = TestCertificate.forName("other.example");
    try (SmtpPeer peer = SmtpPeer.withTls(SmtpPeer.ACCEPTING, other);
        DeliveryWorld world = trusting(other)) {
      world.routes.put("example.com", DeliveryWorld.smtp(Route.Tls.VERIFIED, peer));
      MessageId _ = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      assertEquals(0, peer.received().size());
    }
  }

  @Test
  void opportunisticGoesOnInTheClearWhenStartTlsFails() throws Exception {
    SmtpPeer.Script broken =
        (stage, argument, connection) ->
            stage == Stage.STARTTLS ? new Act.SayAndDrop("220 go, but no") : new Act.Accept();
    try (SmtpPeer peer = SmtpPeer.withTls(broken, CERTIFICATE);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertFalse(peer.received().getFirst().tls());
    }
  }
}
