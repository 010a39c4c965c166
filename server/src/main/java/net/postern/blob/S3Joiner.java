package net.postern.blob;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.blob.S3Pieces.Slice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts whole objects in the place of pieces: for objects that end, and for what was left over. The
 * whole object is written, its length is asked for, and only then are the pieces deleted that went
 * into it; what has come since stays. A whole object that is shorter than its pieces reach is put
 * together with those. Works on threads of the store's; a bounded number of objects at once.
 */
final class S3Joiner {
  private static final Logger LOG = LoggerFactory.getLogger(S3Joiner.class);

  /**
   * Age of pieces and uploads that no process can be working on any longer: a segment may be open
   * for a day, with a single piece at its beginning.
   */
  static final Duration LEFT_OVER = Duration.ofDays(4);

  /** How often a process looks for what is left over. */
  private static final Duration EVERY = Duration.ofDays(1);

  /** Objects that are put together at once. */
  private static final int AT_ONCE = 2;

  /** Objects that wait for that with a part of theirs in memory; more have to be read back. */
  private static final int IN_MEMORY = 4;

  private final S3Store store;
  private final S3Calls calls;
  private final S3Removal removal;
  private final Clock clock;
  private final Semaphore working = new Semaphore(AT_ONCE);

  // Guarded by this.
  private int unfinished;

  // Objects of this process that stayed in pieces; tried again when another one succeeds.
  private final Set<String> left = ConcurrentHashMap.newKeySet();
  private final AtomicLong tidiedMillis = new AtomicLong();

  S3Joiner(S3Store store, S3Calls calls, S3Removal removal, Clock clock) {
    this.store = store;
    this.calls = calls;
    this.removal = removal;
    this.clock = clock;
  }

  /** How many objects are not put together yet; those that were left for later do not count. */
  synchronized int unfinished() {
    return unfinished;
  }

  private synchronized void count(int change) {
    unfinished += change;
    notifyAll();
  }

  /** Waits until all objects that have ended are put together or left for later. */
  synchronized boolean await(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (unfinished > 0) {
      long millis = (end - System.nanoTime()) / 1_000_000;
      if (millis <= 0) {
        return false;
      }
      wait(millis);
    }
    return true;
  }

  /** How many objects of this process were left in pieces for later. */
  int left() {
    return left.size();
  }

  /** Puts an object together that has ended. */
  void finish(String object, S3Pieces pieces, S3Upload upload) {
    count(1);
    if (unfinished() > IN_MEMORY) {
      upload.giveUp();
    }
    store.background(
        () -> {
          working.acquireUninterruptibly();
          try {
            store.alone(object, () -> finishNow(object, pieces, upload));
            again();
          } catch (IOException | RuntimeException e) {
            store.ended(object);
            leave(object, e.getMessage());
          } finally {
            working.release();
            count(-1);
          }
        });
  }

  private void finishNow(String object, S3Pieces pieces, S3Upload upload) throws IOException {
    if (!store.isGrowing(object)) {
      // It was put as a whole, or deleted, while it waited.
      upload.giveUp();
      return;
    }
    if (upload.givenUp()) {
      join(object, 0, pieces);
    } else {
      upload.finish();
      requireWhole(object, pieces.length());
    }
    store.ended(object);
    removal.pieces(store.key(object), pieces.backwards());
  }

  /** Notes that an object stays in pieces for now. */
  void leave(String object, @org.jspecify.annotations.Nullable String why) {
    left.add(object);
    LOG.warn(
        "store {}: {} stays in pieces for now, nothing is lost: {}", store.name(), object, why);
  }

  private void again() {
    for (String object : List.copyOf(left)) {
      try {
        join(object);
        left.remove(object);
      } catch (IOException | RuntimeException e) {
        LOG.debug("store {}: {} stays in pieces", store.name(), object, e);
      }
    }
  }

  /**
   * Puts the pieces that the server has of an object together; nothing happens when there are none.
   *
   * @throws IOException when it cannot be done now; the pieces stay
   */
  void join(String object) throws IOException {
    store.alone(object, () -> joinNow(object));
  }

  private void joinNow(String object) throws IOException {
    S3Store.Extent extent = store.extent(object);
    S3Pieces pieces = extent.pieces();
    if (pieces.isEmpty()) {
      return;
    }
    if (extent.whole().isEmpty() || extent.whole().getAsLong() < pieces.length()) {
      store.removeOlder(object, join(object, extent.whole().orElse(0), pieces));
    }
    removal.pieces(store.key(object), pieces.backwards());
  }

  // The first bytes from the whole object that is there, as everyone reads them.
  private Optional<String> join(String object, long whole, S3Pieces pieces) throws IOException {
    String key = store.key(object);
    List<Slice> slices =
        pieces.slices("store " + store.name() + ": " + object, whole, pieces.length() - whole);
    S3Upload upload = store.upload(object);
    try {
      for (long at = 0; at < whole; at += S3Upload.PART_BYTES) {
        int some = (int) Math.min(S3Upload.PART_BYTES, whole - at);
        upload.add(new S3Calls.Body(read(key, at, some), 0, some));
      }
      for (Slice slice : slices) {
        byte[] piece = read(S3Pieces.key(key, slice.piece()), 0, pieces.lengthAt(slice.piece()));
        upload.add(new S3Calls.Body(piece, slice.from(), slice.length()));
      }
      Optional<String> version = upload.finish();
      requireWhole(object, pieces.length());
      return version;
    } catch (IOException | RuntimeException e) {
      upload.giveUp();
      throw e;
    }
  }

  private byte[] read(String key, long offset, int length) throws IOException {
    // What is read here is written elsewhere and then deleted.
    return calls
        .getChecked(key, offset, length)
        .orElseThrow(() -> new IOException("%s is gone".formatted(key)));
  }

  private void requireWhole(String object, long length) throws IOException {
    long found = calls.head(store.key(object)).orElse(-1);
    if (found != length) {
      throw new IOException(
          "the whole object has %d bytes and not %d; its pieces are kept".formatted(found, length));
    }
  }

  /**
   * Once a day, in the background: deletes unfinished uploads, puts pieces together and deletes
   * pieces that a whole object covers, when they are so old that they cannot be anyone's work.
   *
   * @param prefix of all keys of the store
   */
  void tidyWhenDue(String prefix) {
    long last = tidiedMillis.get();
    long now = clock.millis();
    if (now - last < EVERY.toMillis() || !tidiedMillis.compareAndSet(last, now)) {
      return;
    }
    store.background(
        () -> {
          try {
            tidy(prefix);
          } catch (IOException | RuntimeException e) {
            LOG.info("store {}: left-overs stay for another day: {}", store.name(), e.getMessage());
          }
        });
  }

  void tidy(String prefix) throws IOException {
    Instant before = clock.instant().minus(LEFT_OVER);
    try {
      abandon(prefix, before);
    } catch (IOException e) {
      LOG.info("store {}: unfinished uploads stay: {}", store.name(), e.getMessage());
    }
    Map<String, Instant> pieces = new HashMap<>();
    calls.list(
        prefix,
        entry ->
            S3Pieces.parse(entry.key())
                .map(S3Pieces.Name::object)
                .ifPresent(
                    key -> pieces.merge(key, entry.modified(), (a, b) -> a.isAfter(b) ? a : b)));
    pieces.forEach(
        (key, newest) -> {
          String object = key.substring(prefix.length());
          if (newest.isBefore(before) && store.isObject(object) && !store.isGrowing(object)) {
            tidyOne(object);
          }
        });
  }

  private void abandon(String prefix, Instant before) throws IOException {
    for (S3Calls.Unfinished upload : calls.unfinished(prefix)) {
      if (upload.begun().isBefore(before)) {
        calls.abortMultipart(upload.key(), upload.upload());
      }
    }
  }

  // What cannot be put together, as with a hole between its pieces, holds up no other object.
  private void tidyOne(String object) {
    try {
      join(object);
      LOG.info("store {}: left-over pieces of {} are put together", store.name(), object);
    } catch (IOException | RuntimeException e) {
      LOG.warn(
          "store {}: left-over pieces of {} stay, nothing is lost: {}",
          store.name(),
          object,
          e.getMessage());
    }
  }
}
