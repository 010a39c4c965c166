package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.Settlement;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import org.junit.jupiter.api.Test;

class ShutdownTest {

  @Test
  void aRunningAttemptFinishesAndTheRestGoesBack() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    SmtpPeer.Script slow =
        (stage, argument, connection) -> {
          if (stage == Stage.END_OF_DATA) {
            try {
              go.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          return new Act.Accept();
        };
    try (SmtpPeer peer = SmtpPeer.start(slow);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(1, 1))) {
      world.route("example.com", peer);
      MessageId running = world.letter("one@example.com").dispatch();
      Await.until(() -> peer.commands().contains("DATA"));
      MessageId queued = world.letter("two@example.com").dispatch();
      Thread closer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      world.engine.close(Duration.ofSeconds(10));
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                  });
      Await.until(() -> world.ledger.settled(Settlement.Unattempted.class).size() == 1);
      assertFalse(world.engine.reserve(1, 1));
      go.countDown();
      closer.join();
      assertEquals(DeliveryState.DELIVERED, world.ledger.state(running));
      assertEquals(DeliveryState.WAITING, world.ledger.state(queued));
      // Nobody waits for a peer that takes its time to read a goodbye.
      Await.until(() -> peer.commands().contains("QUIT"));
      assertEquals(1, peer.commands().stream().filter("QUIT"::equals).count());
      assertEquals(0, world.engine.underWay());
    }
  }

  @Test
  void afterItsTimeAnAttemptIsCutAndGoesBackUntried() throws Exception {
    SmtpPeer.Script hanging =
        (stage, argument, connection) -> stage == Stage.RCPT ? new Act.Hang() : new Act.Accept();
    try (SmtpPeer peer = SmtpPeer.start(hanging);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(4, 4))) {
      world.route("example.com", peer);
      MessageId id = world.letter("one@example.com").dispatch();
      Await.until(() -> peer.commands().stream().anyMatch(c -> c.startsWith("RCPT")));
      world.engine.close(Duration.ofMillis(50));
      // Closing waits two seconds for what it cut.
      Await.until(() -> !world.ledger.settlements.isEmpty());
      assertEquals(DeliveryState.WAITING, world.ledger.state(id));
      assertEquals(1, world.ledger.settled(Settlement.Unattempted.class).size());
    }
  }

  @Test
  void whatTheServerMayHaveTakenIsNotCalledUntried() throws Exception {
    CountDownLatch whole = new CountDownLatch(1);
    SmtpPeer.Script hanging =
        (stage, argument, connection) -> {
          if (stage != Stage.END_OF_DATA) {
            return new Act.Accept();
          }
          whole.countDown();
          return new Act.Hang();
        };
    try (SmtpPeer peer = SmtpPeer.start(hanging);
        DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(4, 4))) {
      world.route("example.com", peer);
      MessageId _ = world.letter("one@example.com").dispatch();
      assertTrue(whole.await(20, TimeUnit.SECONDS));
      world.engine.close(Duration.ofMillis(200));
      Await.until(() -> !world.ledger.settlements.isEmpty());
      Settlement.Retry retry = world.ledger.settled(Settlement.Retry.class).getFirst();
      assertTrue(retry.reply().contains("second copy"), retry::toString);
    }
  }
}
