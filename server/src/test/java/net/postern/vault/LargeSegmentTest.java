package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.blob.ForwardingStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replacement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A segment that is too long for memory is made piece by piece. */
class LargeSegmentTest {
  private static final int FRAMES = 12;
  private static final int CONTENT = 1 << 20;

  @TempDir Path temp;
  private final AtomicInteger largest = new AtomicInteger();

  private ObjectStore watched(ObjectStore store) {
    return new ForwardingStore(store) {
      @Override
      public void put(String object, ByteBuffer content) throws IOException {
        largest.accumulateAndGet(content.remaining(), Math::max);
        super.put(object, content);
      }

      @Override
      public Replacement replace(String object) throws IOException {
        Replacement real = super.replace(object);
        return new Replacement() {
          @Override
          public void write(ByteBuffer content) throws IOException {
            largest.accumulateAndGet(content.remaining(), Math::max);
            real.write(content);
          }

          @Override
          public void commit() throws IOException {
            real.commit();
          }

          @Override
          public void close() throws IOException {
            real.close();
          }
        };
      }
    };
  }

  @Test
  void aLongSegmentIsWrittenInPieces() throws Exception {
    try (VaultWorld world = new VaultWorld(temp, 64 << 20)) {
      List<SegmentBook.KeptFrame> frames = new ArrayList<>();
      for (int i = 0; i < FRAMES; i++) {
        MessageFrame frame = world.frame(new byte[CONTENT]);
        Place place = world.vault().keep(frame).place();
        frames.add(new SegmentBook.KeptFrame(frame.id(), place, SegmentBook.FOR_EVER));
      }
      world.restart();
      List<ObjectStore> stores = world.disks.stream().<ObjectStore>map(this::watched).toList();
      SegmentCopier streams = copier(world, stores, 1 << 20);
      UUID fresh = UUID.randomUUID();
      SegmentCopier.Image image = streams.gather(fresh, frames, 1);
      assertEquals(0, largest.get());
      assertEquals(3, streams.write(image));
      assertTrue(largest.get() > CONTENT && largest.get() <= 4 << 20, largest + " bytes at once");
      UUID held = UUID.randomUUID();
      SegmentCopier gathers = copier(world, stores, 64 << 20);
      SegmentCopier.Image same = gathers.gather(held, frames, 1);
      assertEquals(3, gathers.write(same));
      assertEquals(image.length(), same.length());
      for (int store = 0; store < 3; store++) {
        byte[] streamed = world.bytes(store, fresh);
        byte[] gathered = world.bytes(store, held);
        assertEquals(image.length(), streamed.length);
        System.arraycopy(gathered, 0, streamed, 0, Segment.HEADER);
        assertArrayEquals(gathered, streamed, "but for the header they are the same");
      }
      for (SegmentBook.Move move : image.moves()) {
        assertEquals(
            3, world.copies(new Place(fresh, move.offset(), frames.getFirst().place().length())));
      }

      // Damaged after it was looked at: no store gets a part of it.
      UUID third = UUID.randomUUID();
      SegmentCopier.Image torn = streams.gather(third, frames, 1);
      for (int store = 0; store < 3; store++) {
        world.damage(
            store, frames.getLast().place().segment(), frames.getLast().place().offset() + 90);
      }
      assertThrows(IOException.class, () -> streams.write(torn));
      assertThrows(IOException.class, () -> streams.gather(third, frames, 1));
      for (int store = 0; store < 3; store++) {
        assertFalse(world.segments(store).contains(third));
      }
    }
  }

  private static SegmentCopier copier(VaultWorld world, List<ObjectStore> stores, long held) {
    return new SegmentCopier(
        StoreChoice.of(stores), world.keys(), 2, 1 << 30, held, Duration.ofSeconds(30));
  }
}
