package net.postern.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.postern.blob.S3Settings;
import net.postern.blob.S3Store;
import net.postern.config.S3Config;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes stores of what the configuration says of S3 servers, and sees whether they answer. */
final class S3Servers {
  private static final Logger LOG = LoggerFactory.getLogger(S3Servers.class);

  /** Longest wait for the servers' answers at start. */
  private static final Duration CHECK = Duration.ofSeconds(10);

  /** A secret key is short; a larger file is some other file. */
  private static final int MAX_SECRET_BYTES = 4_096;

  private S3Servers() {}

  /**
   * A store, without asking its server anything.
   *
   * @throws IOException when there is no secret key where the configuration says
   */
  static S3Store open(String name, S3Config config) throws IOException {
    return new S3Store(settings(name, config));
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

  /** Asks all servers at once; what cannot be used is logged, with what to do about it. */
  static void check(List<S3Store> servers) {
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
}
