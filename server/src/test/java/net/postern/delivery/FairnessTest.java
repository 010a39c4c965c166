package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
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
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(4, 4))) {
      world.route("stuck.example", stuck);
      world.route("fine.example", fine);
      for (int i = 0; i < 20; i++) {
        MessageId _ = world.letter("x@stuck.example").dispatch();
      }
      Await.until(() -> stuck.connections() > 0);
      for (int i = 0; i < 40; i++) {
        MessageId _ = world.letter("x@fine.example").dispatch();
      }
      Await.until(() -> fine.received().size() == 40);
      assertTrue(stuck.mostAtOnce() <= 2, "connections to the stuck server");
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 20);
      // All of them were put off by the failure of the first; nobody waited for each in turn.
      assertTrue(stuck.connections() <= 8, () -> stuck.connections() + " connections");
    }
  }

  @Test
  void waitingMailForAHangingServerDoesNotKeepOthersWaiting() throws Exception {
    SmtpPeer.Script hanging =
        (stage, argument, connection) -> stage == Stage.DATA ? new Act.Hang() : new Act.Accept();
    try (SmtpPeer stuck = SmtpPeer.start(hanging);
        SmtpPeer fine = SmtpPeer.start(SmtpPeer.ACCEPTING);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(4, 4))) {
      world.route("stuck.example", stuck);
      world.route("fine.example", fine);
      for (int i = 0; i < 300; i++) {
        MessageId _ = world.letter("x@stuck.example").enter();
      }
      for (int i = 0; i < 40; i++) {
        MessageId _ = world.letter("x@fine.example").enter();
      }
      Await.until(() -> fine.received().size() == 40);
      stuck.follow(SmtpPeer.ACCEPTING);
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 340);
      assertEquals(300, stuck.received().size());
    }
  }
}
