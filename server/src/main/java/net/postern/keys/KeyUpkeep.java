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
 * them, and makes this process forget keys that were erased. One thread, every {@link #INTERVAL}.
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
  private volatile Optional<Thread> thread = Optional.empty();
  private boolean quiet;

  /**
   * @param erased told of the keys that were erased in the last day, again and again; may block
   */
  public KeyUpkeep(KeyRing ring, Consumer<List<UUID>> erased) {
    this.ring = ring;
    this.shelf = ring.places().shelf();
    this.erased = erased;
  }

  /** Starts the thread. */
  public void start() {
    thread = Optional.of(Thread.ofPlatform().name("key-upkeep").daemon().start(this::run));
  }

  /**
   * Looks once.
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
    int settled = 0;
    boolean failed = false;
    for (UUID id : shelf.unsettled(BATCH)) {
      if (closed) {
        break;
      }
      try {
        KeyRing.Spread spread = ring.spread(id);
        if (spread.everywhere()) {
          settled++;
        } else {
          failed = true;
          report(id, spread.failures());
        }
      } catch (IOException e) {
        failed = true;
        report(id, List.of(e));
      }
    }
    quiet = failed;
    return settled;
  }

  /**
   * Compares what shelf and stores list, and brings every record that one lacks or has in another
   * length to all: after an older database was put back, a new one was made, or keys were made
   * before there was a shelf. Holds 100 bytes or so for each key.
   *
   * @return how many keys were brought to every place
   * @throws IOException when the database is away
   */
  public int sweep() throws IOException {
    Map<UUID, Listed> all = new HashMap<>();
    shelf.each(
        (id, parcel) -> all.put(id, new Listed(parcel.encode(KeyRecord.object(id)).length, 0)));
    int listed = 0;
    Set<UUID> odd = new HashSet<>();
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
    for (UUID id : odd) {
      if (closed) {
        break;
      }
      try {
        levelled += ring.spread(id).everywhere() ? 1 : 0;
      } catch (IOException e) {
        report(id, List.of(e));
      }
    }
    return levelled;
  }

  private record Listed(long length, int copies) {}

  // Every ten seconds the same while a store is away: said once.
  private void report(UUID id, List<IOException> failures) {
    if (!quiet) {
      quiet = true;
      LOG.warn("key {} is not in every store yet: {}", id, failures.getFirst().toString());
    }
  }

  private void run() {
    boolean swept = false;
    while (!closed) {
      try {
        if (!swept) {
          int levelled = sweep();
          swept = true;
          if (levelled > 0) {
            LOG.info("database and stores differed in {} keys and have the same now", levelled);
          }
        }
        int settled = look();
        if (settled > 0) {
          LOG.info("brought {} keys to every store", settled);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("upkeep of the keys failed; it is tried again: {}", e.toString());
      }
      if (!closed) {
        LockSupport.parkNanos(INTERVAL.toNanos());
      }
    }
  }

  /** Ends the thread; waits for at most five seconds. */
  @Override
  public void close() {
    closed = true;
    if (thread.isPresent()) {
      LockSupport.unpark(thread.get());
      try {
        thread.get().join(5_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
