package net.postern.keys;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Function;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;

/**
 * Where key records are: the shelf and every store. The stores are asked at the same time, each on
 * a thread of its own and for a bounded time, so that one that hangs holds nobody up for longer.
 * Safe for many threads.
 */
final class KeyPlaces {
  /** Longest wait for a store. */
  private static final Duration WAIT = Duration.ofSeconds(10);

  private final Replicas replicas;
  private final KeyShelf shelf;

  /**
   * What a store has.
   *
   * @param parcel empty when it has none, or none that is undamaged
   * @param failure why not; empty when it has none and says so
   */
  record Copy(ObjectStore store, Optional<Parcel> parcel, Optional<IOException> failure) {
    boolean absent() {
      return parcel.isEmpty() && failure.isEmpty();
    }
  }

  KeyPlaces(Replicas replicas, KeyShelf shelf) {
    this.replicas = replicas;
    this.shelf = shelf;
  }

  KeyShelf shelf() {
    return shelf;
  }

  List<ObjectStore> stores() {
    return replicas.stores();
  }

  /** Every store's copy, in the order of the stores. */
  List<Copy> copies(UUID id) {
    String object = KeyRecord.object(id);
    return onEach(
        store -> {
          try {
            return new Copy(store, Optional.of(Replicas.read(store, object)), Optional.empty());
          } catch (NoSuchFileException e) {
            return new Copy(store, Optional.empty(), Optional.empty());
          } catch (IOException e) {
            return new Copy(store, Optional.empty(), Optional.of(e));
          }
        },
        (store, e) -> new Copy(store, Optional.empty(), Optional.of(e)));
  }

  /** The different parcels among copies, the one that counts most first. */
  static Collection<Parcel> parcels(List<Copy> copies) {
    TreeSet<Parcel> all = new TreeSet<>(Comparator.reverseOrder());
    copies.forEach(copy -> copy.parcel().ifPresent(all::add));
    return all;
  }

  /**
   * Writes a record to the shelf, and what the shelf then has to the stores.
   *
   * @return what the shelf has
   * @throws IOException when the shelf is away, nothing is written then; or when too few stores
   *     took it
   */
  Parcel place(UUID id, Parcel parcel) throws IOException {
    Parcel kept = shelf.raise(id, parcel);
    List<IOException> failures = spread(id, kept, stores());
    shelf.written(id, kept.generation(), failures.isEmpty());
    if (stores().size() - failures.size() < replicas.minimum()) {
      IOException tooFew =
          new IOException(
              "only %d of %d stores took the key, %d are needed"
                  .formatted(
                      stores().size() - failures.size(), stores().size(), replicas.minimum()));
      failures.forEach(tooFew::addSuppressed);
      throw tooFew;
    }
    return kept;
  }

  /**
   * Writes a record to some stores.
   *
   * @return one failure for each store that did not take it
   */
  List<IOException> spread(UUID id, Parcel parcel, List<ObjectStore> to) {
    List<IOException> failures = new ArrayList<>();
    onEach(
            to,
            store -> {
              try {
                put(store, id, parcel);
                return Optional.<IOException>empty();
              } catch (IOException e) {
                return Optional.of(e);
              }
            },
            (store, e) -> Optional.of(e))
        .forEach(failure -> failure.ifPresent(failures::add));
    return failures;
  }

  private static void put(ObjectStore store, UUID id, Parcel parcel) throws IOException {
    String object = KeyRecord.object(id);
    if (parcel.generation() >= KeyRecord.TOMBSTONE_GENERATION) {
      // Where a store keeps old versions, only deleting ends them. After a crash before the next
      // line the store has none; the shelf knows that it is unsettled, and the other stores' or the
      // shelf's record is written here again.
      store.delete(object);
    }
    store.put(object, ByteBuffer.wrap(parcel.encode(object)));
  }

  private <T> List<T> onEach(
      Function<ObjectStore, T> work, BiFunction<ObjectStore, IOException, T> failed) {
    return onEach(stores(), work, failed);
  }

  private static <T> List<T> onEach(
      List<ObjectStore> stores,
      Function<ObjectStore, T> work,
      BiFunction<ObjectStore, IOException, T> failed) {
    if (stores.size() == 1) {
      return List.of(work.apply(stores.getFirst()));
    }
    List<FutureTask<T>> tasks = new ArrayList<>();
    for (ObjectStore store : stores) {
      FutureTask<T> task = new FutureTask<>(() -> work.apply(store));
      tasks.add(task);
      Thread _ = Thread.ofPlatform().name("keys-" + store.name()).daemon().start(task);
    }
    long end = System.nanoTime() + WAIT.toNanos();
    List<T> results = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      ObjectStore store = stores.get(i);
      results.add(result(tasks.get(i), end, store.name(), e -> failed.apply(store, e)));
    }
    return results;
  }

  private static <T> T result(
      FutureTask<T> task, long end, String store, Function<IOException, T> failed) {
    try {
      return task.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return failed.apply(
          new IOException("store %s: no answer within %s".formatted(store, WAIT), e));
    } catch (ExecutionException e) {
      return failed.apply(new IOException("store " + store + ": " + e.getCause(), e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return failed.apply(new IOException("store " + store + ": interrupted", e));
    }
  }
}
