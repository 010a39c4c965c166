package net.postern.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.config.KeySource;
import net.postern.config.VaultConfig;
import net.postern.keys.KeyCommand;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyShelf;
import net.postern.keys.MasterKey;
import net.postern.keys.MasterKeys;

/**
 * The stores and the master keys to them.
 *
 * @param list in configured order
 * @param minimum fewest copies for a write to count
 */
record Stores(List<ObjectStore> list, MasterKeys masters, int minimum) {
  private static final int DEFAULT_STORES = 3;

  /**
   * Opens stores and master key, making both on first start.
   *
   * @throws StartException when one cannot be used
   */
  static Stores open(VaultConfig config, Path data) throws StartException {
    List<ObjectStore> stores = new ArrayList<>();
    try {
      for (Path directory : directories(config, data)) {
        stores.add(new DirectoryStore("store-" + (stores.size() + 1), directory));
      }
      return new Stores(List.copyOf(stores), masterKeys(config, data, stores), config.minimum());
    } catch (IOException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
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

  private static List<Path> directories(VaultConfig config, Path data) {
    if (!config.stores().isEmpty()) {
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
    List<MasterKey> previous = new ArrayList<>();
    for (KeySource each : config.previousMasterKeys()) {
      previous.add(read(each));
    }
    return new MasterKeys(
        config.masterKey().isPresent()
            ? read(config.masterKey().get())
            : ownMasterKey(data.resolve("master.key"), stores),
        previous);
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
}
