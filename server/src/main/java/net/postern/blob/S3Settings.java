package net.postern.blob;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * Where an S3 store is and how to speak to it.
 *
 * @param name what people call the store
 * @param endpoint of the server, {@code http} or {@code https}
 * @param region as the server wants it in signatures
 * @param prefix that all keys begin with: empty, or ending with a slash
 * @param pathStyle whether the bucket is named in the path, not in the host name
 * @param lock for whole segments; see {@link Lock}
 */
public record S3Settings(
    String name,
    URI endpoint,
    String region,
    String bucket,
    String prefix,
    String accessKey,
    String secretKey,
    boolean pathStyle,
    Optional<Lock> lock,
    Limits limits) {

  /** Who may lift a lock before its time. */
  public enum LockMode {
    /** Those who have the permission to, on the server. */
    GOVERNANCE,
    /** Nobody. */
    COMPLIANCE
  }

  /** How long the server is to refuse to delete a whole segment, from its end. */
  public record Lock(Duration time, LockMode mode) {}

  /**
   * How long things may take.
   *
   * @param connect for a connection
   * @param attempt for one try at a small request; large ones get a second more for each MiB
   * @param call for all tries together, as attempt
   * @param retries after the first try
   */
  public record Limits(Duration connect, Duration attempt, Duration call, int retries) {
    /** What a node uses. */
    public static final Limits STANDARD =
        new Limits(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(30), 2);
  }

  /** Everything but the secret. */
  @Override
  public String toString() {
    return name
        + " ("
        + endpoint
        + ", bucket "
        + bucket
        + (prefix.isEmpty() ? "" : "/" + prefix)
        + ")";
  }
}
