package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.Settlement;
import net.postern.tenant.Route;
import net.postern.testkit.Await;
import net.postern.testkit.Ports;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import org.junit.jupiter.api.Test;

class SmtpDeliveryTest {
  private static SmtpPeer.Script acting(Stage where, Act act) {
    return (stage, argument, connection) -> stage == where ? act : new Act.Accept();
  }

  @Test
  void handedOverMailIsDeliveredWithoutTheVault() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      SmtpPeer.Received got = peer.received().getFirst();
      assertEquals("a@sender.example", got.reversePath());
      assertEquals(List.of("one@example.com"), got.recipients());
      assertEquals(new String(DeliveryWorld.MAIL, StandardCharsets.US_ASCII), got.text());
      assertEquals(0, world.vault.reads.get());
      assertTrue(world.events.getFirst() instanceof MailEvent.Delivered);
      Await.until(() -> world.engine.underWay() == 0);
    }
  }

  @Test
  void waitingMailIsLeasedAndReadFromTheVault() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").enter();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(1, world.vault.reads.get());
      assertEquals(1, peer.received().size());
    }
  }

  @Test
  void oneConnectionCarriesManyMessages() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(1, 1))) {
      world.route("example.com", peer);
      for (int i = 0; i < 10; i++) {
        MessageId _ = world.letter("one@example.com").dispatch();
      }
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 10);
      assertEquals(1, peer.connections());
    }
  }

  @Test
  void aConnectionIsReplacedAfterItsMessages() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world =
            DeliveryWorld.start(DeliveryWorld.config(1, 1, Duration.ofSeconds(10), 5))) {
      world.route("example.com", peer);
      for (int i = 0; i < 10; i++) {
        MessageId _ = world.letter("one@example.com").dispatch();
      }
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 10);
      assertEquals(2, peer.connections());
    }
  }

  @Test
  void anIdleConnectionEndsWithQuit() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world =
            DeliveryWorld.start(DeliveryWorld.config(4, 4, Duration.ofMillis(100), 1000))) {
      world.route("example.com", peer);
      MessageId _ = world.letter("one@example.com").dispatch();
      Await.until(() -> peer.commands().contains("QUIT"));
      Await.until(() -> peer.openConnections() == 0);
    }
  }

  @Test
  void eachRecipientGetsItsOwnOutcomeInOneTransaction() throws Exception {
    SmtpPeer.Script script =
        (stage, argument, connection) ->
            switch (argument) {
              case String s when stage == Stage.RCPT && s.contains("bad@") ->
                  new Act.Say("550 5.1.1 No such user");
              case String s when stage == Stage.RCPT && s.contains("full@") ->
                  new Act.Say("450 4.2.2 Mailbox full");
              case String _ -> new Act.Accept();
            };
    try (SmtpPeer peer = SmtpPeer.start(script);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id =
          world.letter("good@example.com", "bad@example.com", "full@example.com").dispatch();
      Await.until(() -> world.ledger.reports.size() == 1);
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      assertEquals(DeliveryState.DELIVERED, world.ledger.state(id, 0));
      assertEquals(DeliveryState.RETURNED, world.ledger.state(id, 1));
      assertTrue(world.ledger.settled(Settlement.Retry.class).getFirst().reply().contains("4.2.2"));
      assertEquals(
          1,
          peer.commands().stream().filter(c -> c.startsWith("MAIL")).findFirst().stream().count());
      assertEquals(List.of("good@example.com"), peer.received().getFirst().recipients());
      peer.follow(SmtpPeer.ACCEPTING);
      Await.until(() -> world.ledger.state(id, 2) == DeliveryState.DELIVERED);
      assertEquals(List.of("full@example.com"), peer.received().getLast().recipients());
      assertEquals(1, world.ledger.reports.size());
    }
  }

  @Test
  void aDeadFirstServerIsPassedOver() throws Exception {
    int deadPort = Ports.free();
    try (SmtpPeer second = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.routes.put(
          "example.com",
          new Route.Smtp(
              List.of(
                  new Route.Target("127.0.0.1", deadPort),
                  new Route.Target("127.0.0.1", second.port())),
              Route.Tls.OFF));
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(0, world.ledger.settled(Settlement.Retry.class).size());
    }
  }

  @Test
  void aServerThatGreetsWithLaterIsPassedOver() throws Exception {
    try (SmtpPeer first =
            SmtpPeer.start(acting(Stage.CONNECT, new Act.SayAndDrop("421 4.3.2 Busy")));
        SmtpPeer second = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", first, second);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(1, second.received().size());
    }
  }

  @Test
  void theFirstServerIsPreferredWhileItWorks() throws Exception {
    try (SmtpPeer first = SmtpPeer.start(SmtpPeer.ACCEPTING);
        SmtpPeer second = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", first, second);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(1, first.received().size());
      assertEquals(0, second.connections());
    }
  }

  @Test
  void aStaleKeptConnectionCostsNoAttempt() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(1, 1))) {
      world.route("example.com", peer);
      MessageId first = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(first) == DeliveryState.DELIVERED);
      peer.dropConnections();
      Await.until(() -> peer.openConnections() == 0);
      MessageId second = world.letter("two@example.com").dispatch();
      Await.until(() -> world.ledger.state(second) == DeliveryState.DELIVERED);
      assertEquals(0, world.ledger.settled(Settlement.Retry.class).size());
      assertEquals(2, peer.connections());
      assertEquals(2, peer.received().size());
    }
  }

  @Test
  void aKeptConnectionThatAnswers421IsReplacedAtOnce() throws Exception {
    SmtpPeer.Script script =
        (stage, argument, connection) ->
            stage == Stage.MAIL && connection == 1 && argument.contains("again")
                ? new Act.SayAndDrop("421 4.4.2 Idle too long")
                : new Act.Accept();
    try (SmtpPeer peer = SmtpPeer.start(script);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(1, 1))) {
      world.route("example.com", peer);
      MessageId first = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(first) == DeliveryState.DELIVERED);
      peer.follow(
          (stage, argument, connection) ->
              stage == Stage.MAIL && connection == 1
                  ? new Act.SayAndDrop("421 4.4.2 Idle too long")
                  : new Act.Accept());
      MessageId second = world.letter("two@example.com").dispatch();
      Await.until(() -> world.ledger.state(second) == DeliveryState.DELIVERED);
      assertEquals(0, world.ledger.settled(Settlement.Retry.class).size());
    }
  }

  @Test
  void aFreshConnectionThatBreaksIsAnAttempt() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(acting(Stage.DATA, new Act.Drop()));
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      peer.follow(SmtpPeer.ACCEPTING);
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
    }
  }

  @Test
  void aLossAfterTheEndIsRetriedAndSaysSo() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    SmtpPeer.Script script =
        (stage, argument, connection) ->
            stage == Stage.END_OF_DATA && broken.getAndSet(false)
                ? new Act.Drop()
                : new Act.Accept();
    try (SmtpPeer peer = SmtpPeer.start(script);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      Settlement.Retry retry = world.ledger.settled(Settlement.Retry.class).getFirst();
      assertTrue(retry.reply().contains("second copy is possible"), retry.reply());
    }
  }

  @Test
  void aRefusalForNowIsTriedAgainAndOneForGoodIsReturned() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(acting(Stage.END_OF_DATA, new Act.Say("451 4.3.0 Later")));
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      peer.follow(acting(Stage.END_OF_DATA, new Act.Say("554 5.7.1 Never")));
      Await.until(() -> world.ledger.state(id) == DeliveryState.RETURNED);
      assertEquals(1, world.ledger.reports.size());
    }
  }

  @Test
  void aServerWithoutPipeliningOrEsmtpIsServed() throws Exception {
    SmtpPeer.Script oldServer = acting(Stage.EHLO, new Act.Say("502 5.5.1 What?"));
    try (SmtpPeer peer = SmtpPeer.with(oldServer);
        SmtpPeer plain = SmtpPeer.with(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("old.example", peer);
      world.route("plain.example", plain);
      MessageId one = world.letter("one@old.example").dispatch();
      MessageId two = world.letter("two@plain.example").dispatch();
      Await.until(() -> world.ledger.state(one) == DeliveryState.DELIVERED);
      Await.until(() -> world.ledger.state(two) == DeliveryState.DELIVERED);
      assertTrue(peer.commands().contains("HELO " + DeliveryWorld.HOST));
      assertEquals("MAIL FROM:<a@sender.example>", plain.received().getFirst().mailCommand());
    }
  }

  @Test
  void bareLineEndsDoNotSmuggleASecondMessage() throws Exception {
    String evil =
        "Subject: x\r\n\r\nfirst\n.\nMAIL FROM:<evil@x>\r.\rRCPT\r\n.\r\nQUIT\r\n..\r\nlast";
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").content(evil).dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(
          "Subject: x\r\n\r\nfirst\r\n.\r\nMAIL FROM:<evil@x>\r\n.\r\nRCPT\r\n.\r\nQUIT\r\n..\r\nlast\r\n",
          peer.received().getFirst().text());
      assertEquals(1, peer.received().size());
    }
  }

  @Test
  void marksAndSubjectTagAreApplied() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id =
          world.letter("one@example.com").marked("X-Postern: FLAG\r\n", "[SPAM]").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      String text = peer.received().getFirst().text();
      assertTrue(text.startsWith("X-Postern: FLAG\r\nFrom: a@sender.example\r\n"), text);
      assertTrue(text.contains("\r\nSubject: [SPAM] hello\r\n"), text);
    }
  }

  @Test
  void tooBigForTheServerIsReturnedWithoutSendingIt() throws Exception {
    try (SmtpPeer peer = SmtpPeer.with(SmtpPeer.ACCEPTING, "SIZE 10");
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.RETURNED);
      assertTrue(peer.commands().stream().noneMatch(c -> c.startsWith("MAIL")));
    }
  }

  @Test
  void aDomainWithoutRouteWaits() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      world.route("example.com", peer);
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
    }
  }

  @Test
  void manyRecipientsTakeTransactionsOfAHundred() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      String[] all = new String[250];
      for (int i = 0; i < all.length; i++) {
        all[i] = "user" + i + "@example.com";
      }
      MessageId _ = world.letter(all).dispatch();
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 250);
      assertEquals(3, peer.received().size());
      assertEquals(
          250, peer.received().stream().flatMap(m -> m.recipients().stream()).distinct().count());
      Await.until(() -> world.engine.underWay() == 0);
      assertTrue(world.engine.reserve(20 * 16, 1), "all room was given back");
      world.engine.cancel(20 * 16, 1);
    }
  }
}
