package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the copies of one object equal. What a copy has is never taken from it: a store gets only
 * bytes that hold every whole frame that it had.
 */
final class Mender {
  private static final Logger LOG = LoggerFactory.getLogger(Mender.class);

  private final Predicate<UUID> leaveAlone;
  private final AtomicLong repaired = new AtomicLong();

  /**
   * @param leaveAlone segments that are not to be touched, such as the one that is being written
   */
  Mender(Predicate<UUID> leaveAlone) {
    this.leaveAlone = leaveAlone;
  }

  /** How many copies were made since start. */
  long repaired() {
    return repaired.get();
  }

  /**
   * Compares all copies of an object and mends those that lack something.
   *
   * @return how many copies were made
   */
  int mend(String object, List<ObjectStore> stores) throws IOException {
    return object.startsWith(Segment.KIND + "/")
        ? mendSegment(object, stores)
        : mendParcel(object, stores);
  }

  private int mendSegment(String object, List<ObjectStore> up) throws IOException {
    Optional<UUID> segment = Segment.name(object);
    if (segment.isEmpty() || leaveAlone.test(segment.get())) {
      return 0;
    }
    SegmentCopies copies = SegmentCopies.find(up, segment.get());
    SegmentCopies.Comparison found = copies.compare();
    if (found.gaps()) {
      LOG.error("segment {} has a damaged part that is whole in no store", segment.get());
    }
    Set<ObjectStore> targets = new HashSet<>(up);
    copies.all().forEach(copy -> targets.remove(copy.store()));
    found.lacking().forEach(copy -> targets.add(copy.store()));
    if (targets.isEmpty()) {
      return 0;
    }
    byte[] image = copies.image(found.end());
    int made = 0;
    for (ObjectStore store : targets) {
      made += put(store, object, image);
    }
    return made;
  }

  // Of the good copies the one of the highest generation is right.
  private int mendParcel(String object, List<ObjectStore> up) throws IOException {
    Map<ObjectStore, Parcel> good = new HashMap<>();
    for (ObjectStore store : up) {
      try {
        good.put(store, Replicas.read(store, object));
      } catch (IOException e) {
        LOG.debug("store {} has no good copy of {}", store.name(), object, e);
      }
    }
    Parcel right =
        good.values().stream()
            .max(Comparator.naturalOrder())
            .orElseThrow(() -> new IOException("no store has a whole copy"));
    int made = 0;
    for (ObjectStore store : up) {
      if (!right.equals(good.get(store))) {
        made += put(store, object, right.encode(object));
      }
    }
    return made;
  }

  private int put(ObjectStore store, String object, byte[] bytes) {
    try {
      store.put(object, ByteBuffer.wrap(bytes));
      repaired.incrementAndGet();
      return 1;
    } catch (IOException e) {
      LOG.warn("store {}: cannot take its copy of {}: {}", store.name(), object, e.toString());
      return 0;
    }
  }
}
