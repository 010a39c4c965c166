package net.postern.node;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.DatabaseException;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.MessageView;
import net.postern.vault.MessageFrame;
import net.postern.vault.Place;
import net.postern.vault.StoreReader;
import net.postern.vault.StoreWalk;
import net.postern.vault.VaultUnavailableException;
import org.jdbi.v3.core.JdbiException;

/**
 * Looks into the stores of an installation, beside the node that may run on it: nothing is written
 * and no database is started.
 */
public final class VaultLook {
  private final PosternConfig config;

  public VaultLook(PosternConfig config) {
    this.config = config;
  }

  /** How many objects of a kind a store has, and how large they are together. */
  public record Kind(long objects, long bytes) {}

  /**
   * One store as it is now.
   *
   * @param problem why it cannot be looked at; empty when it can
   * @param usable bytes that can still be written; empty where the store does not say
   * @param kinds by their names
   * @param lacking segments that another store has and this one has not, or has less of
   */
  public record Store(
      String name,
      String where,
      String problem,
      Optional<Long> usable,
      Map<String, Kind> kinds,
      long lacking) {

    /** Whether it can be listed and has room. */
    public boolean up() {
      return problem.isEmpty();
    }
  }

  /** Every store, in configured order, by listing it. */
  public List<Store> stores() {
    List<String> kinds = new ArrayList<>(Parcel.KINDS);
    kinds.add("segments");
    List<Map<String, Long>> segments = new ArrayList<>();
    Map<String, Long> longest = new TreeMap<>();
    List<Store> looks = new ArrayList<>();
    for (Stores.Tried each : Stores.tried(config.vault(), config.node().data())) {
      Map<String, Long> own = new TreeMap<>();
      looks.add(
          each.store()
              .map(store -> look(store, each.where(), kinds, own))
              .orElseGet(
                  () ->
                      new Store(
                          each.name(),
                          each.where(),
                          each.problem(),
                          Optional.empty(),
                          Map.of(),
                          0)));
      segments.add(own);
      own.forEach((segment, length) -> longest.merge(segment, length, Math::max));
    }
    for (int i = 0; i < looks.size(); i++) {
      Store each = looks.get(i);
      Map<String, Long> own = segments.get(i);
      long lacking =
          longest.entrySet().stream()
              .filter(entry -> own.getOrDefault(entry.getKey(), 0L) < entry.getValue())
              .count();
      looks.set(
          i,
          new Store(
              each.name(), each.where(), each.problem(), each.usable(), each.kinds(), lacking));
    }
    return looks;
  }

  private Store look(
      ObjectStore store, String where, List<String> kinds, Map<String, Long> segments) {
    Map<String, Kind> found = new TreeMap<>();
    Optional<Long> usable = Optional.empty();
    String problem = "";
    try {
      for (String kind : kinds) {
        long[] sum = new long[2];
        store.list(
            kind,
            each -> {
              sum[0]++;
              sum[1] += each.length();
              if (kind.equals("segments")) {
                segments.put(each.object(), each.length());
              }
            });
        found.put(kind, new Kind(sum[0], sum[1]));
      }
      long bytes = store.usableBytes();
      usable = bytes == Long.MAX_VALUE ? Optional.empty() : Optional.of(bytes);
      long reserve = config.vault().reserve().bytes();
      if (bytes < reserve) {
        problem = "%d MiB free, vault.reserve is %d MiB".formatted(bytes >> 20, reserve >> 20);
      }
    } catch (IOException e) {
      problem = String.valueOf(e.getMessage());
    }
    return new Store(store.name(), where, problem, usable, found, 0);
  }

  /**
   * Whether a node runs on the data directory.
   *
   * @throws StartException when the directory cannot be used
   */
  public boolean nodeRuns() throws StartException {
    return DataDirectory.isClaimed(config.node().data());
  }

  /**
   * A message as it was accepted.
   *
   * @param store only from this one, by name or directory; empty for any
   * @throws StartException when there is no such store that can be used, or no master key
   * @throws VaultUnavailableException when no store that was asked has it; the message says why
   */
  public byte[] get(MessageId id, Optional<String> store)
      throws StartException, VaultUnavailableException {
    Stores stores = Stores.usable(config.vault(), config.node().data());
    List<ObjectStore> asked = store.isPresent() ? List.of(stores.find(store.get())) : stores.list();
    Optional<Place> place = place(id);
    VaultUnavailableException failure =
        new VaultUnavailableException("message %s is in none of: %s".formatted(id, names(asked)));
    if (place.isPresent()) {
      try {
        MessageFrame frame = new StoreReader(() -> asked, stores.keys()).read(place.get());
        if (frame.id().equals(id)) {
          return frame.content();
        }
      } catch (VaultUnavailableException e) {
        // It may have been moved since; the stores themselves know.
        failure.addSuppressed(e);
      }
    }
    for (ObjectStore each : asked) {
      try {
        Optional<byte[]> found = scan(each, stores.keys(), id);
        if (found.isPresent()) {
          return found.get();
        }
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    throw withReasons(failure);
  }

  private static Optional<byte[]> scan(ObjectStore store, KeyRing keys, MessageId id)
      throws IOException {
    StoreWalk walk = new StoreWalk(store, keys);
    IOException failure = new IOException(store.name() + ": the message's frame cannot be read");
    for (UUID segment : StoreWalk.segments(store)) {
      try {
        Optional<Place> place = walk.find(segment, id);
        if (place.isPresent()) {
          return Optional.of(walk.read(place.get()).content());
        }
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    if (failure.getSuppressed().length > 0) {
      throw new IOException(
          "%s: %s".formatted(store.name(), failure.getSuppressed()[0].getMessage()), failure);
    }
    return Optional.empty();
  }

  // From the database, when one can be had without starting it.
  private Optional<Place> place(MessageId id) {
    try {
      Optional<Database> beside = Database.beside(config.database(), config.node().data());
      if (beside.isEmpty()) {
        return Optional.empty();
      }
      try (Database database = beside.get()) {
        return new MessageQueries(database).find(id).stream().findFirst().map(MessageView::place);
      }
    } catch (DatabaseException | JdbiException e) {
      return Optional.empty();
    }
  }

  private static VaultUnavailableException withReasons(VaultUnavailableException failure) {
    StringBuilder text = new StringBuilder(String.valueOf(failure.getMessage()));
    for (Throwable each : failure.getSuppressed()) {
      text.append("; ").append(each.getMessage());
    }
    return new VaultUnavailableException(text.toString(), failure);
  }

  private static String names(List<ObjectStore> stores) {
    return String.join(", ", stores.stream().map(ObjectStore::name).toList());
  }
}
