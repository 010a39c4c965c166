package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ForwardingStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that takes long for each deletion gets through all the same, a part with each pass. */
class SlowDeletionTest {
  private static final int SEGMENTS = 12;
  private static final Duration EACH = Duration.ofMillis(100);

  @TempDir Path temp;

  @Test
  void whatASlowStoreHasDeletedCounts() throws Exception {
    ObjectStore fast = new DirectoryStore("fast", temp.resolve("fast"));
    ObjectStore slow =
        new ForwardingStore(new DirectoryStore("slow", temp.resolve("slow"))) {
          @Override
          public void delete(String object) throws IOException {
            LockSupport.parkNanos(EACH.toNanos());
            super.delete(object);
          }
        };
    KeyRing keys =
        new KeyRing(
            MasterKey.of(Aead.random(Aead.KEY_BYTES)), new Replicas(List.of(fast, slow), 2));
    List<SegmentBook.Doomed> doomed = new ArrayList<>();
    for (int i = 0; i < SEGMENTS; i++) {
      UUID segment = UUID.randomUUID();
      doomed.add(new SegmentBook.Doomed(segment, Optional.empty()));
      for (ObjectStore store : List.of(fast, slow)) {
        store.put(Segment.object(segment), ByteBuffer.allocate(100));
      }
    }
    SegmentCopier copier =
        new SegmentCopier(
            StoreChoice.of(List.of(fast, slow)), keys, 2, 1 << 30, 1 << 20, EACH.multipliedBy(4));
    int passes = 0;
    while (!doomed.isEmpty()) {
      passes++;
      // One in which a thread was late deletes nothing.
      assertTrue(passes <= 4 * SEGMENTS, "it does not come to an end");
      List<UUID> gone = copier.delete(doomed).gone();
      doomed.removeIf(each -> gone.contains(each.segment()));
    }
    assertTrue(passes > 1, "the control: one pass is too short for all");
    for (ObjectStore store : List.of(fast, slow)) {
      List<String> left = new ArrayList<>();
      store.list(Segment.KIND, each -> left.add(each.object()));
      assertEquals(List.of(), left);
    }
  }
}
