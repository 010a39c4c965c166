package net.postern.vault;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replacement;
import net.postern.keys.KeyRing;
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

  /** A longer segment is not kept in memory. */
  static final long HELD_BYTES = 64 << 20;

  /** Bytes that are written at once; a longer frame is written alone. */
  private static final int PIECE_BYTES = 4 << 20;

  /** A store may take this long for any object, and longer for a large one. */
  private static final Duration LEAST = Duration.ofSeconds(30);

  /** Longest time of one call, beyond the time for all. */
  private static final Duration CALL = Duration.ofSeconds(15);

  /** Listing a store takes a while. */
  private static final Duration LISTING = Duration.ofMinutes(10);

  /** A store that is slower than this, in bytes a second, is passed over. */
  private static final long SLOWEST = 1 << 20;

  private final StoreChoice stores;
  private final FrameCodec codec;
  private final int minimum;
  private final StoreCalls calls = new StoreCalls("compact");
  private final long bytesPerSecond;
  private final long heldBytes;
  private final Duration deleting;

  // Owned by the one thread.
  private long paceFrom;
  private long paced;

  /**
   * @param keys what tells a genuine frame from a forged one
   * @param minimum fewest stores that have each acknowledged frame
   * @param bytesPerSecond at most so many are copied
   */
  SegmentCopier(StoreChoice stores, KeyRing keys, int minimum, long bytesPerSecond) {
    this(stores, keys, minimum, bytesPerSecond, HELD_BYTES, LEAST);
  }

  /**
   * @param heldBytes a longer segment is not kept in memory
   * @param deleting what a store does not delete within this time waits for the next pass
   */
  SegmentCopier(
      StoreChoice stores,
      KeyRing keys,
      int minimum,
      long bytesPerSecond,
      long heldBytes,
      Duration deleting) {
    this.stores = stores;
    this.codec = new FrameCodec(keys);
    this.minimum = minimum;
    this.bytesPerSecond = bytesPerSecond;
    this.heldBytes = heldBytes;
    this.deleting = deleting;
  }

  /**
   * A segment that is to be written.
   *
   * @param length in bytes
   */
  record Image(UUID segment, long length, List<SegmentBook.Move> moves, Pieces pieces) {}

  /** The bytes of a segment, piece by piece; may be asked for more than once. */
  @FunctionalInterface
  private interface Pieces {
    void each(Sink sink) throws IOException, InterruptedException;
  }

  @FunctionalInterface
  private interface Sink {
    /**
     * @param piece nobody changes it any more
     */
    void take(byte[] piece) throws InterruptedException;
  }

  /**
   * Reads and checks frames. A small segment is kept in memory; the frames of a longer one are read
   * again when it is written, so that memory is bounded by a piece and the largest frame.
   *
   * @param frames at least one
   * @throws IOException when one of them is whole in no store, is another message than the ledger
   *     says, or may be forged: nothing may be dropped then
   */
  Image gather(UUID fresh, List<SegmentBook.KeptFrame> frames, long createdMillis)
      throws IOException, InterruptedException {
    List<SegmentBook.KeptFrame> inOrder = new ArrayList<>(frames);
    inOrder.sort(
        Comparator.comparing((SegmentBook.KeptFrame frame) -> frame.place().segment())
            .thenComparingLong(frame -> frame.place().offset()));
    List<SegmentBook.Move> moves = new ArrayList<>();
    long length = Segment.HEADER;
    for (SegmentBook.KeptFrame frame : inOrder) {
      moves.add(new SegmentBook.Move(frame.id(), frame.place(), length));
      length += frame.place().length();
    }
    byte[] header = Segment.header(fresh, createdMillis);
    if (length <= heldBytes) {
      List<byte[]> held = new ArrayList<>();
      read(header, inOrder, held::add);
      return new Image(
          fresh,
          length,
          List.copyOf(moves),
          sink -> {
            for (byte[] piece : held) {
              sink.take(piece);
            }
          });
    }
    // What is damaged is to be known before anything is written.
    read(header, inOrder, piece -> {});
    return new Image(fresh, length, List.copyOf(moves), sink -> read(header, inOrder, sink));
  }

  private void read(byte[] header, List<SegmentBook.KeptFrame> inOrder, Sink sink)
      throws IOException, InterruptedException {
    Map<UUID, SegmentCopies> copies = new HashMap<>();
    List<ObjectStore> readable = stores.readable();
    ByteArrayOutputStream piece = new ByteArrayOutputStream();
    piece.writeBytes(header);
    for (SegmentBook.KeptFrame frame : inOrder) {
      Place place = frame.place();
      SegmentCopies source = copies.get(place.segment());
      if (source == null) {
        source = SegmentCopies.find(readable, place.segment());
        copies.put(place.segment(), source);
      }
      if (piece.size() + place.length() > PIECE_BYTES) {
        sink.take(piece.toByteArray());
        piece.reset();
      }
      piece.writeBytes(whole(source, frame));
      pace(place.length());
    }
    sink.take(piece.toByteArray());
  }

  // A digest tells of damage, not of who wrote the frame: what one store alone says, or what stores
  // say differently, must open with a holder's key. Frames that no key opens any more, and are
  // held,
  // count when as many copies agree as an acknowledged one has.
  private byte[] whole(SegmentCopies source, SegmentBook.KeptFrame frame) throws IOException {
    Optional<byte[]> first = source.frame(frame.place().offset());
    if (first.isPresent() && isIt(first.get(), frame) && opens(first.get())) {
      return first.get();
    }
    IOException why = new IOException("it is whole in no store");
    List<SegmentCopies.Candidate> known = new ArrayList<>();
    for (SegmentCopies.Candidate each : source.candidates(frame.place().offset())) {
      if (isIt(each.frame(), frame)) {
        known.add(each);
      } else {
        why.addSuppressed(
            new IOException("there is message " + FrameCodec.header(each.frame()).id()));
      }
    }
    for (SegmentCopies.Candidate each : known) {
      try {
        codec.decode(each.frame());
        if (known.size() > 1) {
          LOG.warn(
              "copies of message {} at {} differ; the one that opens with its key is taken",
              frame.id(),
              frame.place());
        }
        return each.frame();
      } catch (IOException e) {
        why.addSuppressed(e);
      }
    }
    if (known.size() == 1 && known.getFirst().voices() >= minimum) {
      return known.getFirst().frame();
    }
    if (known.size() > 1) {
      why.addSuppressed(new IOException("copies differ, and none opens with a key"));
    } else if (known.size() == 1) {
      why.addSuppressed(new IOException("one copy alone, which does not open with a key"));
    }
    throw new IOException(
        "message %s at %s cannot be copied: %s"
            .formatted(
                frame.id(),
                frame.place(),
                why.getSuppressed().length == 0
                    ? why.getMessage()
                    : why.getSuppressed()[why.getSuppressed().length - 1].getMessage()),
        why);
  }

  private static boolean isIt(byte[] bytes, SegmentBook.KeptFrame frame) throws IOException {
    FrameCodec.Header header = FrameCodec.header(bytes);
    return header.id().equals(frame.id()) && header.length() == frame.place().length();
  }

  private boolean opens(byte[] frame) {
    try {
      codec.decode(frame);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Writes a segment to all stores that are up, and compares what they then have.
   *
   * @return how many have it, byte for byte
   * @throws IOException when a frame cannot be read any more; no store has the segment then
   */
  int write(Image image) throws IOException, InterruptedException {
    String object = Segment.object(image.segment());
    Duration limit = LEAST.plusSeconds(image.length() / SLOWEST);
    MessageDigest digest = FrameCodec.sha256();
    Map<ObjectStore, Replacement> begun =
        calls.all("begin a compacted segment", stores.up(), limit, store -> store.replace(object));
    List<ObjectStore> taking = new ArrayList<>(begun.keySet());
    try {
      image
          .pieces()
          .each(
              piece -> {
                digest.update(piece);
                Map<ObjectStore, Boolean> took =
                    calls.all(
                        "take a compacted segment",
                        List.copyOf(taking),
                        limit,
                        store -> {
                          requireNonNull(begun.get(store))
                              .write(ByteBuffer.wrap(piece).asReadOnlyBuffer());
                          return true;
                        });
                taking.retainAll(took.keySet());
                pace(piece.length);
              });
      byte[] right = digest.digest();
      Map<ObjectStore, Boolean> written =
          calls.all(
              "keep a compacted segment",
              taking,
              limit,
              store -> {
                requireNonNull(begun.get(store)).commit();
                return true;
              });
      Map<ObjectStore, Boolean> compared =
          calls.all(
              "give a compacted segment",
              List.copyOf(written.keySet()),
              limit,
              store -> isEqual(store, object, image.length(), right));
      return (int) compared.values().stream().filter(equal -> equal).count();
    } finally {
      calls.all(
          "end a compacted segment",
          List.copyOf(begun.keySet()),
          LEAST,
          store -> {
            requireNonNull(begun.get(store)).close();
            return true;
          });
    }
  }

  private static boolean isEqual(ObjectStore store, String object, long length, byte[] right)
      throws IOException {
    if (store.length(object) != length) {
      return false;
    }
    MessageDigest digest = FrameCodec.sha256();
    for (long at = 0; at < length; at += COMPARE_BYTES) {
      digest.update(store.range(object, at, (int) Math.min(COMPARE_BYTES, length - at)));
    }
    return MessageDigest.isEqual(digest.digest(), right);
  }

  /** How long a segment is in the store that has most of it, in bytes. */
  long length(UUID segment) throws IOException {
    return SegmentCopies.find(stores.readable(), segment).all().stream()
        .mapToLong(SegmentCopies.Copy::length)
        .max()
        .orElse(0);
  }

  /**
   * Which of these segments no store has. Stores that take no mail are asked too: when all are
   * full, what they have still counts.
   *
   * @param segments such that some store has each of them, as far as is known
   * @throws IOException when no store can be listed
   */
  Set<UUID> absent(Set<UUID> segments) throws IOException, InterruptedException {
    Map<ObjectStore, Set<UUID>> listed =
        calls.all("list its segments", stores.readable(), LISTING, SegmentCopier::list);
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
   * Deletes segments from all stores that have their successors, those that take no mail too: one
   * that is full gets space in no other way. A store that is away, or too slow for all of them,
   * deletes the rest another time.
   */
  Deletion delete(List<SegmentBook.Doomed> doomed) throws InterruptedException {
    Map<ObjectStore, Set<UUID>> gone = new HashMap<>();
    stores.all().forEach(store -> gone.put(store, ConcurrentHashMap.newKeySet()));
    AtomicBoolean lacking = new AtomicBoolean();
    long end = System.nanoTime() + deleting.toNanos();
    calls.all(
        "delete compacted segments",
        stores.all(),
        deleting.plus(CALL),
        store -> deleteFrom(store, doomed, end, gone.getOrDefault(store, Set.of()), lacking));
    return new Deletion(
        doomed.stream()
            .map(SegmentBook.Doomed::segment)
            .filter(segment -> gone.values().stream().allMatch(each -> each.contains(segment)))
            .toList(),
        lacking.get());
  }

  // What was deleted counts at once: a store that is slower than the others would else begin anew
  // with each pass.
  private static boolean deleteFrom(
      ObjectStore store,
      List<SegmentBook.Doomed> doomed,
      long end,
      Set<UUID> gone,
      AtomicBoolean lacking) {
    Map<SegmentBook.Successor, Boolean> there = new HashMap<>();
    for (SegmentBook.Doomed each : doomed) {
      if (System.nanoTime() - end > 0) {
        LOG.info("store {}: deletes the other segments in the next pass", store.name());
        return false;
      }
      try {
        if (each.successor().isPresent() && !there.containsKey(each.successor().get())) {
          there.put(each.successor().get(), has(store, each.successor().get()));
        }
        if (each.successor().isEmpty() || there.getOrDefault(each.successor().get(), false)) {
          store.delete(Segment.object(each.segment()));
          gone.add(each.segment());
        } else {
          lacking.set(true);
        }
      } catch (IOException e) {
        // The book remembers it for another time.
        LOG.debug("store {}: cannot delete segment {}", store.name(), each.segment(), e);
      }
    }
    return true;
  }

  /** A segment that a full store may be given: it gives back more than it takes. */
  record Gift(UUID segment, ObjectStore store) {}

  /**
   * What full stores lack before they may delete, as far as there is room for it and what they then
   * delete is no shorter.
   *
   * @param spare bytes that must stay free all the while
   */
  List<Gift> gifts(List<SegmentBook.Doomed> doomed, long spare) throws InterruptedException {
    List<ObjectStore> full = stores.full();
    if (full.isEmpty()) {
      return List.of();
    }
    Map<ObjectStore, List<Gift>> gifts =
        calls.all("tell what it lacks", full, deleting, store -> gifts(store, doomed, spare));
    return gifts.values().stream().flatMap(List::stream).toList();
  }

  private static List<Gift> gifts(ObjectStore store, List<SegmentBook.Doomed> doomed, long spare)
      throws IOException {
    Map<SegmentBook.Successor, Long> freed = new LinkedHashMap<>();
    for (SegmentBook.Doomed each : doomed) {
      if (each.successor().isPresent()) {
        freed.merge(each.successor().get(), length(store, each.segment()), Long::sum);
      }
    }
    long room = store.usableBytes() - spare;
    List<Gift> gifts = new ArrayList<>();
    for (Map.Entry<SegmentBook.Successor, Long> each : freed.entrySet()) {
      long bytes = each.getKey().bytes();
      if (each.getValue() >= bytes && room >= bytes && !has(store, each.getKey())) {
        room -= bytes;
        gifts.add(new Gift(each.getKey().segment(), store));
      }
    }
    return gifts;
  }

  private static long length(ObjectStore store, UUID segment) throws IOException {
    try {
      return store.length(Segment.object(segment));
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  /**
   * Which stores that are up could not take so many bytes and still have so many to spare. One that
   * does not say is none of them.
   */
  List<String> tooFull(long bytes, long spare) throws InterruptedException {
    Map<ObjectStore, Long> usable =
        calls.all("tell its free space", stores.up(), LEAST, ObjectStore::usableBytes);
    return usable.entrySet().stream()
        .filter(each -> each.getValue() - spare < bytes)
        .map(each -> each.getKey().name())
        .sorted()
        .toList();
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
        calls.all("list its segments", stores.all(), LISTING, SegmentCopier::list);
    Set<UUID> all = new HashSet<>();
    listed.values().forEach(all::addAll);
    Set<UUID> strays = known.among(all);
    if (strays.isEmpty()) {
      return 0;
    }
    AtomicInteger deleted = new AtomicInteger();
    calls.all(
        "delete copies that turned up again",
        List.copyOf(listed.keySet()),
        LISTING,
        store -> {
          for (UUID each : listed.getOrDefault(store, Set.of())) {
            if (strays.contains(each)) {
              store.delete(Segment.object(each));
              deleted.incrementAndGet();
            }
          }
          return true;
        });
    return deleted.get();
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
