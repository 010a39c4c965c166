package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.Settlement;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import org.junit.jupiter.api.Test;

class FairnessTest {

  @Test
  void aServerThatHangsHoldsTwoWorkersAndNobodyElse() throws Exception {
    SmtpPeer.Script hanging =
        (stage, argument, connection) -> stage == Stage.CONNECT ? new Act.Hang() : new Act.Accept();
    try (SmtpPeer stuck = SmtpPeer.start(hanging);
        SmtpPeer fine = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world =
            DeliveryWorld.start(DeliveryWorld.slowToRetry(DeliveryWorld.config(4, 4)))) {
      world.route("stuck.example", stuck);
      world.route("fine.example", fine);
      for (int i = 0; i < 20; i++) {
        MessageId _ = world.letter("x@stuck.example").dispatch();
      }
      Await.until(() -> stuck.connections() == 2);
      for (int i = 0; i < 40; i++) {
        MessageId _ = world.letter("x@fine.example").dispatch();
      }
      Await.until(() -> fine.received().size() == 40);
      assertEquals(0, world.ledger.settled(Settlement.Retry.class).size(), "it still hangs");
      assertEquals(2, stuck.connections());
      stuck.dropConnections();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() == 20);
      // All of them were put off by the failure of the first; nobody waited for each in turn.
      assertEquals(2, stuck.connections());
    }
  }

  @Test
  void waitingMailForAHangingServerDoesNotKeepOthersWaiting() throws Exception {
    SmtpPeer.Script hanging =
        (stage, argument, connection) -> stage == Stage.DATA ? new Act.Hang() : new Act.Accept();
    try (SmtpPeer stuck = SmtpPeer.start(hanging);
        SmtpPeer fine = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.impatient(DeliveryWorld.config(4, 4))) {
      world.route("stuck.example", stuck);
      world.route("fine.example", fine);
      for (int i = 0; i < 300; i++) {
        MessageId _ = world.letter("x@stuck.example").content("Subject: " + i + "\r\n\r\n").enter();
      }
      for (int i = 0; i < 40; i++) {
        MessageId _ = world.letter("x@fine.example").content("Subject: " + i + "\r\n\r\n").enter();
      }
      Await.until(() -> different(fine) == 40);
      stuck.follow(SmtpPeer.ACCEPTING);
      Await.until(Duration.ofMinutes(1), () -> world.ledger.count(DeliveryState.DELIVERED) == 340);
      assertEquals(300, different(stuck));
    }
  }

  // What a server had taken when its time was over comes again.
  private static long different(SmtpPeer peer) {
    return peer.received().stream().map(SmtpPeer.Received::text).distinct().count();
  }

  @Test
  void aServerThatTakesFewConnectionsGetsFewAndLosesNothing() throws Exception {
    AtomicReference<SmtpPeer> self = new AtomicReference<>();
    SmtpPeer.Script narrow =
        (stage, argument, connection) -> {
          SmtpPeer peer = self.get();
          // Of many that come at the same moment the first three are served.
          boolean full =
              stage == Stage.CONNECT
                  && connection > 3
                  && peer != null
                  && peer.openConnections() > 3;
          return full ? new Act.SayAndDrop("421 4.7.0 Too many connections") : new Act.Accept();
        };
    try (SmtpPeer peer = SmtpPeer.start(narrow);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(16, 16))) {
      self.set(peer);
      world.route("example.com", peer);
      for (int i = 0; i < 200; i++) {
        MessageId _ = world.letter("x@example.com").dispatch();
      }
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 200);
      assertEquals(200, peer.received().size());
      assertEquals(0, world.ledger.settled(Settlement.Retry.class).size());
    }
  }

  @Test
  void whatHasNoTimeLeftInItsLeaseIsGivenBack() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      // Less than the margin that an attempt is to end before its lease does.
      List<LeasedDelivery> late =
          world.letter("x@example.com").leased(1, Instant.now().plusSeconds(8), true);
      late.forEach(world.ledger::entered);
      assertTrue(world.engine.reserve(1, DeliveryWorld.MAIL.length));
      world.engine.dispatch(late);
      Await.until(() -> world.ledger.settled(Settlement.Unattempted.class).size() == 1);
      // The ledger leases it out again, with time enough.
      world.engine.wake();
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 1);
      assertEquals(1, peer.received().size());
    }
  }

  @Test
  void whatIsPastItsLeaseLeavesTheNextHolderAlone() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      var letter = world.letter("x@example.com");
      List<LeasedDelivery> late = letter.leased(1, Instant.now().minusSeconds(1), true);
      // It was leased again while the first lease waited for its turn.
      letter.leased(2, Instant.now().plusSeconds(900), true).forEach(world.ledger::entered);
      assertTrue(world.engine.reserve(1, DeliveryWorld.MAIL.length));
      world.engine.dispatch(late);
      Await.until(() -> world.engine.underWay() == 0);
      assertEquals(DeliveryState.IN_PROGRESS, world.ledger.state(letter.id));
      assertEquals(0, world.ledger.settlements.size());
      assertEquals(0, peer.received().size());
    }
  }

  @Test
  void roomForHandedOverMailIsBounded() throws Exception {
    SmtpPeer.Script hanging =
        (stage, argument, connection) -> stage == Stage.CONNECT ? new Act.Hang() : new Act.Accept();
    try (SmtpPeer stuck = SmtpPeer.start(hanging);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(4, 4))) {
      world.route("stuck.example", stuck);
      int most = 4 * 16;
      assertTrue(world.engine.reserve(most, 1));
      assertFalse(world.engine.reserve(1, 1));
      world.engine.cancel(most, 1);
      assertFalse(world.engine.reserve(1, 65L << 20), "more bytes than handoff memory");
      assertTrue(world.engine.reserve(1, 1));
      world.engine.cancel(1, 1);
    }
  }

  @Test
  void aMessageThatGoesToNobodyTakesNoRoom() {
    try (DeliveryWorld world = DeliveryWorld.start()) {
      // Intake asks for every message, also for those that are held for all their recipients.
      for (int i = 0; i < 10; i++) {
        if (world.engine.reserve(0, 60L << 20)) {
          world.engine.dispatch(List.of());
        }
      }
      assertTrue(world.engine.reserve(1, 60L << 20));
      world.engine.cancel(1, 60L << 20);
    }
  }
}
