package net.postern.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.blob.S3Store;
import net.postern.blob.TimedStore;
import net.postern.config.KeySource;
import net.postern.config.S3Config;
import net.postern.config.VaultConfig;
import net.postern.keys.KeyCommand;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyShelf;
import net.postern.keys.MasterKey;
import net.postern.keys.MasterKeys;

/**
 * The stores and the master keys to them.
 *
 * @param list in configured order; none of them waits for ever
 * @param minimum fewest copies for a write to count
 */
record Stores(List<ObjectStore> list, MasterKeys masters, int minimum) implements AutoCloseable {
  private static final int DEFAULT_STORES = 3;

  /**
   * Opens stores and master key, making both on first start. A server that does not answer, or
   * refuses, is logged with what to do about it and holds up nobody: the vault takes that store for
   * down, and tries it until it is up. Only the first start wants all of them, since it has to know
   * that no store has keys of an older master key.
   *
   * @throws StartException when one cannot be used
   */
  static Stores open(VaultConfig config, Path data) throws StartException {
    List<ObjectStore> stores = new ArrayList<>();
    try {
      for (Path directory : directories(config, data)) {
        stores.add(new DirectoryStore(name(stores), directory));
      }
      List<S3Store> servers = new ArrayList<>();
      for (S3Config server : config.s3()) {
        servers.add(S3Servers.open(name(stores), server));
        stores.add(servers.getLast());
      }
      requireCopies(config, stores.size());
      S3Servers.check(servers);
      stores.replaceAll(store -> timed(store, config));
      return new Stores(List.copyOf(stores), masterKeys(config, data, stores), config.minimum());
    } catch (IOException e) {
      close(stores);
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  private static String name(List<ObjectStore> before) {
    return "store-" + (before.size() + 1);
  }

  private static void requireCopies(VaultConfig config, int stores) throws IOException {
    Optional<Integer> copies = config.copies();
    if (copies.isPresent() && copies.get() != stores) {
      throw new IOException(
          "vault.copies is %d, but there are %d stores".formatted(copies.get(), stores));
    }
  }

  /** A ring over the stores alone, as when there is no database. */
  KeyRing keys() {
    return keys(KeyShelf.NONE);
  }

  /** A ring over the stores and the database's copy of every record. */
  KeyRing keys(KeyShelf shelf) {
    return new KeyRing(masters, new Replicas(list, minimum), shelf);
  }

  /** Small objects that all of them are to hold. */
  Replicas replicas() {
    return new Replicas(list, minimum);
  }

  /**
   * Finds a store by its name or by its directory.
   *
   * @throws StartException when it is none of the configured ones; the message names those
   */
  ObjectStore find(String wanted) throws StartException {
    for (ObjectStore store : list) {
      if (store.name().equals(wanted) || isDirectoryOf(store, wanted)) {
        return store;
      }
    }
    throw new StartException(
        "%s is none of the configured stores: %s; to use another directory, put it into vault.stores"
            .formatted(
                wanted,
                list.stream().map(ObjectStore::toString).collect(Collectors.joining(", "))));
  }

  private static boolean isDirectoryOf(ObjectStore store, String wanted) {
    try {
      return TimedStore.behind(store) instanceof DirectoryStore directory
          && directory.root().toRealPath().equals(Path.of(wanted).toRealPath());
    } catch (IOException | InvalidPathException e) {
      return false;
    }
  }

  /**
   * A store that was tried.
   *
   * @param where for people
   * @param store empty when it cannot be used
   * @param problem why not; empty when it can
   */
  record Tried(String name, String where, Optional<ObjectStore> store, String problem) {}

  /** Opens each store that is there, and makes none: for looking at an installation. */
  static List<Tried> tried(VaultConfig config, Path data) {
    List<Tried> tried = new ArrayList<>();
    for (Path directory : directories(config, data)) {
      String name = "store-" + (tried.size() + 1);
      String where = name + " (" + directory + ")";
      try {
        if (!Files.isDirectory(directory)) {
          throw new IOException("its directory is missing");
        }
        ObjectStore store = new DirectoryStore(name, directory);
        tried.add(new Tried(name, where, Optional.of(timed(store, config)), ""));
      } catch (IOException e) {
        tried.add(new Tried(name, where, Optional.empty(), String.valueOf(e.getMessage())));
      }
    }
    for (S3Config server : config.s3()) {
      String name = "store-" + (tried.size() + 1);
      String where = "%s (%s, bucket %s)".formatted(name, server.endpoint(), server.bucket());
      try {
        S3Store store = S3Servers.open(name, server);
        try {
          store.check();
        } catch (IOException e) {
          store.close();
          throw e;
        }
        tried.add(new Tried(name, where, Optional.of(timed(store, config)), ""));
      } catch (IOException e) {
        tried.add(new Tried(name, where, Optional.empty(), String.valueOf(e.getMessage())));
      }
    }
    return tried;
  }

  /**
   * The stores of {@link #tried} that can be used, with the keys in them; nothing is made.
   *
   * @throws StartException when the master key cannot be read
   */
  static Stores usable(VaultConfig config, Path data) throws StartException {
    List<ObjectStore> stores =
        tried(config, data).stream().flatMap(each -> each.store().stream()).toList();
    try {
      return new Stores(stores, existingMasterKeys(config, data), 1);
    } catch (IOException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  private static List<Path> directories(VaultConfig config, Path data) {
    if (!config.stores().isEmpty() || !config.s3().isEmpty()) {
      return config.stores();
    }
    List<Path> directories = new ArrayList<>();
    for (int i = 1; i <= DEFAULT_STORES; i++) {
      directories.add(data.resolve("store-" + i));
    }
    return directories;
  }

  private static MasterKeys masterKeys(VaultConfig config, Path data, List<ObjectStore> stores)
      throws IOException {
    return new MasterKeys(
        config.masterKey().isPresent()
            ? read(config.masterKey().get())
            : ownMasterKey(data.resolve("master.key"), stores),
        previous(config));
  }

  // Makes none.
  private static MasterKeys existingMasterKeys(VaultConfig config, Path data) throws IOException {
    return new MasterKeys(
        read(config.masterKey().orElse(new KeySource.File(data.resolve("master.key")))),
        previous(config));
  }

  private static List<MasterKey> previous(VaultConfig config) throws IOException {
    List<MasterKey> previous = new ArrayList<>();
    for (KeySource each : config.previousMasterKeys()) {
      previous.add(read(each));
    }
    return previous;
  }

  private static MasterKey read(KeySource source) throws IOException {
    return switch (source) {
      case KeySource.File(Path path) -> MasterKey.read(path);
      case KeySource.Environment(String name) -> MasterKey.read(name, System.getenv());
      case KeySource.Command(List<String> words) -> MasterKey.read(new KeyCommand(words));
    };
  }

  private static MasterKey ownMasterKey(Path file, List<ObjectStore> stores) throws IOException {
    if (Files.exists(file)) {
      return MasterKey.read(file);
    }
    // A fresh key beside stores that an older one locked would make their mail look lost.
    for (ObjectStore store : stores) {
      boolean[] used = new boolean[1];
      store.list("keys", each -> used[0] = true);
      if (used[0]) {
        return MasterKey.read(file);
      }
    }
    return MasterKey.create(file);
  }

  /** Lets this process, a node, put in order what others left in servers' buckets. */
  void keepTidy() {
    for (ObjectStore store : list) {
      if (TimedStore.behind(store) instanceof S3Store server) {
        server.keepTidy();
      }
    }
  }

  /** Ends connections; objects that have just ended are put together, within bounded time. */
  @Override
  public void close() {
    close(list);
  }

  private static void close(List<ObjectStore> stores) {
    for (ObjectStore store : stores) {
      if (TimedStore.behind(store) instanceof S3Store server) {
        server.close();
      }
    }
  }

  private static ObjectStore timed(ObjectStore store, VaultConfig config) {
    return TimedStore.around(store, config.readWait());
  }
}
