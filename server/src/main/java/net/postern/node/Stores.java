package net.postern.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.blob.S3Settings;
import net.postern.blob.S3Store;
import net.postern.config.S3Config;
import net.postern.config.VaultConfig;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stores and the keys to them.
 *
 * @param list in configured order
 */
record Stores(List<ObjectStore> list, KeyRing keys) implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Stores.class);

  private static final int DEFAULT_STORES = 3;

  /** Longest wait for the servers' answers at start. */
  private static final Duration CHECK = Duration.ofSeconds(10);

  /** A secret key is short; a larger file is some other file. */
  private static final int MAX_SECRET_BYTES = 4_096;

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
        servers.add(new S3Store(settings(name(stores), server)));
        stores.add(servers.getLast());
      }
      requireCopies(config, stores.size());
      check(servers);
      return new Stores(
          List.copyOf(stores),
          new KeyRing(masterKey(config, data, stores), new Replicas(stores, config.minimum())));
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

  private static S3Settings settings(String name, S3Config config) throws IOException {
    String prefix = config.prefix();
    return new S3Settings(
        name,
        config.endpoint(),
        config.region(),
        config.bucket(),
        prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/",
        config.accessKey(),
        secretKey(name, config),
        config.pathStyle(),
        config.lock().map(time -> new S3Settings.Lock(time, lockMode(config))),
        S3Settings.Limits.STANDARD);
  }

  private static S3Settings.LockMode lockMode(S3Config config) {
    return switch (config.lockMode()) {
      case GOVERNANCE -> S3Settings.LockMode.GOVERNANCE;
      case COMPLIANCE -> S3Settings.LockMode.COMPLIANCE;
    };
  }

  private static String secretKey(String store, S3Config config) throws IOException {
    String secret;
    String from;
    if (config.secretKeyFile().isPresent()) {
      Path file = config.secretKeyFile().get();
      from = "file " + file;
      if (Files.size(file) > MAX_SECRET_BYTES) {
        throw new IOException(
            "store %s: %s is no secret key: it has more than %d bytes"
                .formatted(store, from, MAX_SECRET_BYTES));
      }
      secret = Files.readString(file).strip();
    } else {
      String variable = config.secretKeyEnv().orElseThrow();
      from = "environment variable " + variable;
      secret = Optional.ofNullable(System.getenv(variable)).orElse("").strip();
    }
    if (secret.isEmpty() || secret.indexOf('\n') >= 0) {
      throw new IOException(
          "store %s: %s does not hold a secret key: one line, not empty".formatted(store, from));
    }
    return secret;
  }

  private static void check(List<S3Store> servers) {
    Map<S3Store, FutureTask<Optional<IOException>>> checks = new LinkedHashMap<>();
    for (S3Store store : servers) {
      FutureTask<Optional<IOException>> check = new FutureTask<>(() -> failure(store));
      checks.put(store, check);
      Thread.ofVirtual().name("check-" + store.name()).start(check);
    }
    long end = System.nanoTime() + CHECK.toNanos();
    checks.forEach(
        (store, check) -> {
          Optional<String> wrong = wrong(check, end - System.nanoTime());
          if (wrong.isEmpty()) {
            LOG.debug("store {} answers", store);
          } else {
            LOG.error(
                "store {} cannot be used now, and is tried again as mail comes: {}",
                store,
                wrong.get());
          }
        });
  }

  private static Optional<IOException> failure(S3Store store) {
    try {
      store.check();
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(e);
    }
  }

  private static Optional<String> wrong(Future<Optional<IOException>> check, long nanos) {
    try {
      return check
          .get(Math.max(0, nanos), TimeUnit.NANOSECONDS)
          .map(failure -> String.valueOf(failure.getMessage()));
    } catch (TimeoutException e) {
      return Optional.of("no answer within " + CHECK.toSeconds() + " seconds");
    } catch (ExecutionException e) {
      return Optional.of(String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("interrupted");
    }
  }

  private static MasterKey masterKey(VaultConfig config, Path data, List<ObjectStore> stores)
      throws IOException {
    Path file = config.masterKey().orElse(data.resolve("master.key"));
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

  /** Ends connections; objects that have just ended are put together, within bounded time. */
  @Override
  public void close() {
    close(list);
  }

  private static void close(List<ObjectStore> stores) {
    for (ObjectStore store : stores) {
      if (store instanceof S3Store server) {
        server.close();
      }
    }
  }
}
