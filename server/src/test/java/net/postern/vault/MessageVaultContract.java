package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** What every vault does. */
abstract class MessageVaultContract {

  protected abstract MessageVault vault();

  /** A message that this vault's keys can keep. */
  protected abstract MessageFrame frame(byte[] content);

  @Test
  void whatIsKeptIsReadBackAtOnce() throws Exception {
    for (int length : new int[] {0, 1, 15, 16, 8_192, 5 << 20}) {
      byte[] content = new byte[length];
      new Random(length).nextBytes(content);
      MessageFrame frame = frame(content);
      Kept kept = vault().keep(frame);
      assertTrue(kept.copies() >= 2, kept::toString);
      MessageFrame back = vault().read(kept.place());
      assertEquals(frame.id(), back.id());
      assertEquals(frame.holders(), back.holders());
      assertArrayEquals(frame.meta(), back.meta());
      assertArrayEquals(content, back.content());
    }
  }

  @Test
  void manyAtOnceAllGetPlacesOfTheirOwn() throws Exception {
    Map<Place, MessageFrame> kept = new ConcurrentHashMap<>();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int n = 0; n < 10; n++) {
                        MessageFrame frame = frame(UUID.randomUUID().toString().getBytes());
                        kept.put(vault().keep(frame).place(), frame);
                        MessageFrame back = vault().read(vault().keep(frame).place());
                        assertEquals(frame.id(), back.id());
                      }
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), failures);
    assertEquals(160, new HashSet<>(kept.keySet()).size());
    for (Map.Entry<Place, MessageFrame> each : kept.entrySet()) {
      MessageFrame back = vault().read(each.getKey());
      assertEquals(each.getValue().id(), back.id());
      assertArrayEquals(each.getValue().content(), back.content());
    }
  }

  @Test
  void aPlaceThatHoldsNoFrameIsNoMessage() throws Exception {
    Place good = vault().keep(frame(new byte[100])).place();
    List<Place> bad =
        List.of(
            new Place(UUID.randomUUID(), good.offset(), good.length()),
            new Place(good.segment(), good.offset() + 1, good.length()),
            new Place(good.segment(), good.offset(), good.length() - 1),
            new Place(good.segment(), good.offset() + 1_000_000, good.length()),
            new Place(good.segment(), good.offset(), 0));
    for (Place place : bad) {
      assertThrows(VaultUnavailableException.class, () -> vault().read(place), place::toString);
    }
    assertEquals(100, vault().read(good).content().length, "the control");
  }
}
