package net.postern.keys;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import net.postern.blob.ObjectStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finishes what was begun with keys, by this process or another: writes records to stores that lack
 * them, and makes this process forget keys that were erased, every {@link #INTERVAL}. A second
 * thread compares all places once ({@link #sweep}), which takes its time: nothing waits for it.
 */
public final class KeyUpkeep implements AutoCloseable {
  /** Time between two looks: the longest that a node goes on using a key that was erased. */
  public static final Duration INTERVAL = Duration.ofSeconds(10);

  /** Erased keys are looked after for this long: whatever was under way with them has ended. */
  private static final Duration ATTENTION = Duration.ofDays(1);

  /** Most records that are written in one look. */
  private static final int BATCH = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(KeyUpkeep.class);

  private final KeyRing ring;
  private final KeyShelf shelf;
  private final Consumer<List<UUID>> erased;
  private volatile boolean closed;
  private volatile List<Thread> threads = List.of();
  private boolean quiet;
  private int next;

  /**
   * @param erased told of the keys that were erased in the last day, again and again; may block
   */
  public KeyUpkeep(KeyRing ring, Consumer<List<UUID>> erased) {
    this.ring = ring;
    this.shelf = ring.places().shelf();
    this.erased = erased;
  }

  /** Starts the threads. */
  public void start() {
    threads =
        List.of(
            Thread.ofPlatform().name("key-upkeep").daemon().start(this::run),
            Thread.ofPlatform().name("key-sweep").daemon().start(this::sweepOnce));
  }

  /**
   * Looks once. A store that hangs costs ten seconds for each key, so no further key is begun when
   * {@link #INTERVAL} is over; the next look goes on there.
   *
   * @return how many records were brought to every store
   * @throws IOException when the database is away
   */
  public int look() throws IOException {
    List<UUID> gone = shelf.erasedWithin(ATTENTION);
    gone.forEach(ring::forget);
    int settled = settle();
    if (!gone.isEmpty()) {
      tell(gone);
    }
    return settled;
  }

  // What hangs on it must not keep a tombstone from the stores, nor a key that is new.
  private void tell(List<UUID> gone) {
    try {
      erased.accept(gone);
    } catch (RuntimeException e) {
      LOG.warn("what erased keys leave cannot be ended now; it is tried again: {}", e.toString());
    }
  }

  private int settle() throws IOException {
    long end = System.nanoTime() + INTERVAL.toNanos();
    List<UUID> unsettled = shelf.unsettled(BATCH);
    int settled = 0;
    boolean failed = false;
    for (int i = 0; i < unsettled.size() && !closed && System.nanoTime() - end < 0; i++) {
      UUID id = unsettled.get(next++ % unsettled.size());
      Optional<IOException> failure = spread(id);
      if (failure.isEmpty()) {
        settled++;
      } else {
        failed = true;
        report(id, failure.get());
      }
    }
    next = unsettled.isEmpty() ? 0 : next % unsettled.size();
    quiet = failed;
    return settled;
  }

  private Optional<IOException> spread(UUID id) {
    try {
      return ring.spread(id).failures().stream().findFirst();
    } catch (IOException e) {
      return Optional.of(e);
    }
  }

  /**
   * Compares what shelf and stores list, and brings every record that one lacks or has in another
   * length to all: after an older database was put back, a new one was made, or keys were made
   * before there was a shelf. Records of an old version are written anew. Holds 100 bytes or so for
   * each key.
   *
   * @return how many keys were brought to every place
   * @throws IOException when the database is away
   */
  public int sweep() throws IOException {
    Map<UUID, Listed> all = new HashMap<>();
    Set<UUID> odd = new HashSet<>();
    shelf.each(
        (id, parcel) -> {
          all.put(id, new Listed(parcel.encode(KeyRecord.object(id)).length, 0));
          if (KeyRecord.isOld(parcel)) {
            odd.add(id);
          }
        });
    int listed = 0;
    for (ObjectStore store : ring.places().stores()) {
      try {
        store.list(
            KeyRecord.KIND,
            each ->
                KeyRecord.id(each.object())
                    .ifPresent(
                        id -> {
                          Listed known = all.get(id);
                          if (known == null || known.length() != each.length()) {
                            odd.add(id);
                          } else {
                            all.put(id, new Listed(known.length(), known.copies() + 1));
                          }
                        }));
        listed++;
      } catch (IOException e) {
        LOG.warn("store {}: its keys cannot be listed: {}", store.name(), e.toString());
      }
    }
    for (Map.Entry<UUID, Listed> each : all.entrySet()) {
      if (each.getValue().copies() < listed) {
        odd.add(each.getKey());
      }
    }
    int levelled = 0;
    int failed = 0;
    for (UUID id : odd) {
      if (closed) {
        break;
      }
      Optional<IOException> failure = spread(id);
      if (failure.isEmpty()) {
        levelled++;
      } else if (failed++ == 0) {
        LOG.warn("key {} cannot be levelled: {}", id, failure.get().toString());
      }
    }
    return levelled;
  }

  private record Listed(long length, int copies) {}

  // Every ten seconds the same while a store is away: said once.
  private void report(UUID id, IOException failure) {
    if (!quiet) {
      quiet = true;
      LOG.warn("key {} is not in every store yet: {}", id, failure.toString());
    }
  }

  private void run() {
    while (!closed) {
      try {
        int settled = look();
        if (settled > 0) {
          LOG.info("brought {} keys to every store", settled);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("upkeep of the keys failed; it is tried again: {}", e.toString());
      }
      pause();
    }
  }

  private void sweepOnce() {
    boolean swept = false;
    while (!closed && !swept) {
      try {
        int levelled = sweep();
        swept = true;
        if (levelled > 0) {
          LOG.info("database and stores differed in {} keys and have the same now", levelled);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("the keys cannot be compared; it is tried again: {}", e.toString());
        pause();
      }
    }
  }

  private void pause() {
    if (!closed) {
      LockSupport.parkNanos(INTERVAL.toNanos());
    }
  }

  /** Ends the threads; waits for at most five seconds for each. */
  @Override
  public void close() {
    closed = true;
    for (Thread each : threads) {
      LockSupport.unpark(each);
      try {
        each.join(5_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
