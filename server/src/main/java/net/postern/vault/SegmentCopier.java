package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import net.postern.blob.ObjectStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one segment out of frames of others: copies them byte for byte from whichever store has
 * them whole, writes the new segment to the stores, and reads it back. For one thread.
 */
final class SegmentCopier {
  private static final Logger LOG = LoggerFactory.getLogger(SegmentCopier.class);

  /** Bytes that are compared at once. */
  private static final int COMPARE_BYTES = 1 << 20;

  /** A store may take this long for any object, and longer for a large one. */
  private static final Duration LEAST = Duration.ofSeconds(30);

  /** Listing a store takes a while. */
  private static final Duration LISTING = Duration.ofMinutes(10);

  /** A store that is slower than this, in bytes a second, is passed over. */
  private static final long SLOWEST = 1 << 20;

  private final StoreChoice stores;
  private final StoreCalls calls = new StoreCalls("compact");
  private final long bytesPerSecond;

  // Owned by the one thread.
  private long paceFrom;
  private long paced;

  /**
   * @param bytesPerSecond at most so many are copied
   */
  SegmentCopier(StoreChoice stores, long bytesPerSecond) {
    this.stores = stores;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** A segment that is to be written. */
  record Image(UUID segment, byte[] bytes, List<SegmentBook.Move> moves) {}

  /**
   * Copies frames into memory.
   *
   * @param frames at least one
   * @throws IOException when one of them is whole in no store, or is another message than the
   *     ledger says: nothing may be dropped then
   */
  Image gather(UUID fresh, List<SegmentBook.KeptFrame> frames, long createdMillis)
      throws IOException {
    List<SegmentBook.KeptFrame> inOrder = new ArrayList<>(frames);
    inOrder.sort(
        Comparator.comparing((SegmentBook.KeptFrame frame) -> frame.place().segment())
            .thenComparingLong(frame -> frame.place().offset()));
    long length = Segment.HEADER;
    for (SegmentBook.KeptFrame frame : inOrder) {
      length += frame.place().length();
    }
    ByteBuffer image = ByteBuffer.allocate(Math.toIntExact(length));
    image.put(Segment.header(fresh, createdMillis));
    List<SegmentBook.Move> moves = new ArrayList<>();
    Map<UUID, SegmentCopies> copies = new HashMap<>();
    List<ObjectStore> readable = stores.readable();
    for (SegmentBook.KeptFrame frame : inOrder) {
      Place place = frame.place();
      SegmentCopies source = copies.get(place.segment());
      if (source == null) {
        source = SegmentCopies.find(readable, place.segment());
        copies.put(place.segment(), source);
      }
      moves.add(new SegmentBook.Move(frame.id(), place, image.position()));
      image.put(whole(source, frame));
      pace(place.length());
    }
    return new Image(fresh, image.array(), List.copyOf(moves));
  }

  private static byte[] whole(SegmentCopies source, SegmentBook.KeptFrame frame)
      throws IOException {
    Optional<byte[]> bytes = source.frame(frame.place().offset());
    if (bytes.isEmpty()) {
      throw new IOException(
          "message %s at %s is whole in no store".formatted(frame.id(), frame.place()));
    }
    FrameCodec.Header header = FrameCodec.header(bytes.get());
    if (!header.id().equals(frame.id()) || header.length() != frame.place().length()) {
      throw new IOException(
          "there is message %s at %s, the ledger says %s"
              .formatted(header.id(), frame.place(), frame.id()));
    }
    return bytes.get();
  }

  /**
   * Writes a segment to all stores that are up, and compares what they then have.
   *
   * @return how many have it, byte for byte
   */
  int write(Image image) throws InterruptedException {
    String object = Segment.object(image.segment());
    Duration limit = LEAST.plusSeconds(image.bytes().length / SLOWEST);
    Map<ObjectStore, Boolean> written =
        calls.all(
            "take a compacted segment",
            stores.up(),
            limit,
            store -> {
              store.put(object, ByteBuffer.wrap(image.bytes()).asReadOnlyBuffer());
              return true;
            });
    pace(image.bytes().length);
    Map<ObjectStore, Boolean> compared =
        calls.all(
            "give a compacted segment",
            List.copyOf(written.keySet()),
            limit,
            store -> isEqual(store, object, image.bytes()));
    return (int) compared.values().stream().filter(equal -> equal).count();
  }

  private static boolean isEqual(ObjectStore store, String object, byte[] bytes)
      throws IOException {
    if (store.length(object) != bytes.length) {
      return false;
    }
    for (int at = 0; at < bytes.length; at += COMPARE_BYTES) {
      int length = Math.min(COMPARE_BYTES, bytes.length - at);
      if (!Arrays.equals(store.range(object, at, length), 0, length, bytes, at, at + length)) {
        return false;
      }
    }
    return true;
  }

  /** How long a segment is in the store that has most of it, in bytes. */
  long length(UUID segment) throws IOException {
    return SegmentCopies.find(stores.readable(), segment).all().stream()
        .mapToLong(SegmentCopies.Copy::length)
        .max()
        .orElse(0);
  }

  /**
   * Which of these segments no store has.
   *
   * @param segments such that some store has each of them, as far as is known
   * @throws IOException when no store can be listed
   */
  Set<UUID> absent(Set<UUID> segments) throws IOException, InterruptedException {
    Map<ObjectStore, Set<UUID>> listed =
        calls.all("list its segments", stores.up(), LISTING, SegmentCopier::list);
    if (listed.isEmpty()) {
      throw new IOException("no store can be listed; nothing is deleted");
    }
    Set<UUID> absent = new HashSet<>(segments);
    listed.values().forEach(absent::removeAll);
    // A file that is replaced at this moment may be passed over by a listing.
    absent.removeIf(
        segment -> !SegmentCopies.ask(List.copyOf(listed.keySet()), segment).all().isEmpty());
    return absent;
  }

  /**
   * What a deletion came to.
   *
   * @param gone segments that every configured store has deleted
   * @param lacking whether a store keeps an old segment because it lacks the new one
   */
  record Deletion(List<UUID> gone, boolean lacking) {}

  /**
   * Deletes segments from the stores that have their successors. A store that is away deletes
   * another time.
   */
  Deletion delete(List<SegmentBook.Doomed> doomed) throws InterruptedException {
    Map<ObjectStore, Deletion> done =
        calls.all(
            "delete compacted segments", stores.up(), LEAST, store -> deleteFrom(store, doomed));
    List<UUID> gone =
        doomed.stream()
            .map(SegmentBook.Doomed::segment)
            .filter(
                segment ->
                    stores.all().stream()
                        .allMatch(
                            store ->
                                done.containsKey(store)
                                    && done.get(store).gone().contains(segment)))
            .toList();
    return new Deletion(gone, done.values().stream().anyMatch(Deletion::lacking));
  }

  private static Deletion deleteFrom(ObjectStore store, List<SegmentBook.Doomed> doomed) {
    List<UUID> gone = new ArrayList<>();
    boolean lacking = false;
    for (SegmentBook.Doomed each : doomed) {
      try {
        if (each.successor().isEmpty() || has(store, each.successor().get())) {
          store.delete(Segment.object(each.segment()));
          gone.add(each.segment());
        } else {
          lacking = true;
        }
      } catch (IOException e) {
        // The book remembers it for another time.
        LOG.debug("store {}: cannot delete segment {}", store.name(), each.segment(), e);
      }
    }
    return new Deletion(gone, lacking);
  }

  /** Tells which segments were deleted everywhere. */
  @FunctionalInterface
  interface Strays {
    Set<UUID> among(Collection<UUID> listed) throws IOException;
  }

  /**
   * Deletes copies of deleted segments that turned up again: from a store that hung in the middle
   * of a write, or a disk that was away for long.
   *
   * @return how many
   */
  int deleteStrays(Strays known) throws IOException, InterruptedException {
    Map<ObjectStore, Set<UUID>> listed =
        calls.all("list its segments", stores.up(), LISTING, SegmentCopier::list);
    Set<UUID> all = new HashSet<>();
    listed.values().forEach(all::addAll);
    Set<UUID> strays = known.among(all);
    if (strays.isEmpty()) {
      return 0;
    }
    Map<ObjectStore, Integer> deleted =
        calls.all(
            "delete copies that turned up again",
            List.copyOf(listed.keySet()),
            LISTING,
            store ->
                deleteFrom(
                        store,
                        strays.stream()
                            .filter(listed.getOrDefault(store, Set.of())::contains)
                            .map(each -> new SegmentBook.Doomed(each, Optional.empty()))
                            .toList())
                    .gone()
                    .size());
    return deleted.values().stream().mapToInt(count -> count).sum();
  }

  private static Set<UUID> list(ObjectStore store) throws IOException {
    Set<UUID> names = new HashSet<>();
    store.list(Segment.KIND, each -> Segment.name(each.object()).ifPresent(names::add));
    return names;
  }

  private static boolean has(ObjectStore store, SegmentBook.Successor successor)
      throws IOException {
    try {
      return store.length(Segment.object(successor.segment())) >= successor.bytes();
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  // Keeps the mean since the last pause at the limit.
  private void pace(long bytes) {
    long now = System.nanoTime();
    long due = paceFrom + (long) (paced * 1e9 / bytesPerSecond);
    if (due < now) {
      paceFrom = now;
      paced = 0;
    } else {
      LockSupport.parkNanos(due - now);
    }
    paced += bytes;
  }
}
