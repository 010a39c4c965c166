package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.config.ByteSize;
import net.postern.config.DeliveryConfig;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import org.junit.jupiter.api.Test;

class ReadRoomTest {
  private static final int MIB = 1 << 20;

  @Test
  void largeMessagesShareTheRoomAndSmallOnesNeedNone() throws Exception {
    ReadRoom room = new ReadRoom(MIB);
    assertTrue(room.take(600 * 1024, Duration.ZERO));
    assertFalse(room.take(600 * 1024, Duration.ZERO), "there is no room for two");
    assertTrue(room.take(ReadRoom.SMALL, Duration.ZERO));
    room.giveBack(ReadRoom.SMALL);
    assertFalse(room.take(600 * 1024, Duration.ZERO), "a small one gives back what it took");
    room.giveBack(600 * 1024);
    assertTrue(room.take(50L * MIB, Duration.ZERO), "one that is larger than all goes alone");
    assertFalse(room.take(ReadRoom.SMALL + 1, Duration.ZERO));
    room.giveBack(50L * MIB);
    assertTrue(room.take(MIB, Duration.ZERO));
  }

  @Test
  void aBacklogOfLargeMessagesIsInMemoryOneAfterAnother() throws Exception {
    AtomicInteger sending = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    SmtpPeer.Script counting =
        (stage, argument, connection) -> {
          if (stage == Stage.DATA) {
            int now = sending.incrementAndGet();
            int _ = most.accumulateAndGet(now, Math::max);
          } else if (stage == Stage.END_OF_DATA) {
            sending.decrementAndGet();
          }
          return new Act.Accept();
        };
    try (SmtpPeer one = SmtpPeer.start(counting);
        SmtpPeer two = SmtpPeer.start(counting);
        DeliveryWorld world = DeliveryWorld.start(withMemory(MIB))) {
      world.route("one.example", one);
      world.route("two.example", two);
      String large = "Subject: large\r\n\r\n" + "x".repeat(70).concat("\r\n").repeat(10_000);
      for (int i = 0; i < 10; i++) {
        MessageId _ = world.letter("x@one.example").content(large).enter();
        MessageId _ = world.letter("x@two.example").content(large).enter();
      }
      Await.until(() -> world.ledger.count(DeliveryState.DELIVERED) == 20);
      assertEquals(1, most.get());
    }
  }

  private static DeliveryConfig withMemory(int bytes) {
    DeliveryConfig usual = DeliveryWorld.config(20, 8);
    return new DeliveryConfig(
        usual.concurrency(),
        usual.connectionsPerTarget(),
        usual.keepConnection(),
        usual.messagesPerConnection(),
        usual.connectTimeout(),
        usual.replyTimeout(),
        usual.firstRetry(),
        usual.maxRetry(),
        usual.giveUp(),
        Optional.empty(),
        List.of(),
        usual.lease(),
        new ByteSize(bytes));
  }
}
