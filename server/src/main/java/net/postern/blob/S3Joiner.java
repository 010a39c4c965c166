package net.postern.blob;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.blob.S3Pieces.Slice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts whole objects in the place of pieces: for objects that end, and for what was left over. The
 * whole object is written, its length is asked for, and only then are the pieces deleted. Works on
 * threads of the store's; a bounded number of objects at once.
 */
final class S3Joiner {
  private static final Logger LOG = LoggerFactory.getLogger(S3Joiner.class);

  /** Age of pieces and uploads that no process can be working on any longer. */
  static final Duration LEFT_OVER = Duration.ofDays(1);

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

  /**
   * Puts an object together that has ended.
   *
   * @param done called when its pieces are no longer to be read
   */
  void finish(String object, S3Pieces pieces, S3Upload upload, Runnable done) {
    count(1);
    if (unfinished() > IN_MEMORY) {
      upload.giveUp();
    }
    store.background(
        () -> {
          try {
            working.acquireUninterruptibly();
            try {
              finishNow(object, pieces, upload, done);
            } finally {
              working.release();
            }
          } finally {
            count(-1);
          }
        });
  }

  private void finishNow(String object, S3Pieces pieces, S3Upload upload, Runnable done) {
    try {
      if (upload.givenUp()) {
        join(object, pieces);
      } else {
        upload.finish();
        requireWhole(object, pieces.length());
      }
      done.run();
      removal.pieces(store.key(object), pieces.backwards());
      again();
    } catch (IOException | RuntimeException e) {
      done.run();
      leave(object, e.getMessage());
    }
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
    String key = store.key(object);
    S3Pieces pieces = store.listPieces(object);
    if (pieces.isEmpty()) {
      return;
    }
    if (calls.head(key).isEmpty()) {
      join(object, pieces);
    }
    removal.pieces(key);
  }

  private void join(String object, S3Pieces pieces) throws IOException {
    S3Upload upload = store.upload(object);
    for (Slice slice : pieces.slices("store " + store.name() + ": " + object, 0, pieces.length())) {
      byte[] bytes =
          calls
              .get(S3Pieces.key(store.key(object), slice.piece()), 0, slice.length())
              .orElseThrow(() -> new IOException("a piece is gone"));
      upload.add(new S3Calls.Body(bytes, 0, bytes.length));
    }
    upload.finish();
    requireWhole(object, pieces.length());
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
   * pieces beside a whole object, when they are a day old and so cannot be anyone's work.
   *
   * @param prefix of all keys of the store
   */
  void tidyWhenDue(String prefix) {
    long last = tidiedMillis.get();
    long now = clock.millis();
    if (now - last < LEFT_OVER.toMillis() || !tidiedMillis.compareAndSet(last, now)) {
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
    for (S3Calls.Unfinished upload : calls.unfinished(prefix)) {
      if (upload.begun().isBefore(before)) {
        calls.abortMultipart(upload.key(), upload.upload());
      }
    }
    Map<String, Instant> pieces = new HashMap<>();
    calls.list(
        prefix,
        entry ->
            S3Pieces.parse(entry.key())
                .map(S3Pieces.Name::object)
                .ifPresent(
                    key -> pieces.merge(key, entry.modified(), (a, b) -> a.isAfter(b) ? a : b)));
    for (Map.Entry<String, Instant> found : pieces.entrySet()) {
      String object = found.getKey().substring(prefix.length());
      if (found.getValue().isBefore(before) && store.isObject(object) && !store.isGrowing(object)) {
        join(object);
        LOG.info("store {}: left-over pieces of {} are put together", store.name(), object);
      }
    }
  }
}
