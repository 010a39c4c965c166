package net.postern.blob;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import net.postern.testkit.S3Server;

/** Settings for stores on test servers. */
public final class S3TestStores {
  /** Short enough for tests of what does not answer. */
  static final S3Settings.Limits SHORT =
      new S3Settings.Limits(
          Duration.ofSeconds(2), Duration.ofMillis(500), Duration.ofSeconds(3), 2);

  private S3TestStores() {}

  /** A store on s3proxy, or on what stands before it. */
  public static S3Settings proxy(String name, URI endpoint, String bucket, String prefix) {
    return new S3Settings(
        name,
        endpoint,
        S3Server.REGION,
        bucket,
        prefix,
        S3Server.ACCESS_KEY,
        S3Server.SECRET_KEY,
        true,
        Optional.empty(),
        S3Settings.Limits.STANDARD);
  }

  static S3Settings withLimits(S3Settings from, S3Settings.Limits limits) {
    return new S3Settings(
        from.name(),
        from.endpoint(),
        from.region(),
        from.bucket(),
        from.prefix(),
        from.accessKey(),
        from.secretKey(),
        from.pathStyle(),
        from.lock(),
        limits);
  }

  static S3Settings withLock(S3Settings from, S3Settings.Lock lock) {
    return new S3Settings(
        from.name(),
        from.endpoint(),
        from.region(),
        from.bucket(),
        from.prefix(),
        from.accessKey(),
        from.secretKey(),
        from.pathStyle(),
        Optional.of(lock),
        from.limits());
  }

  static S3Settings withKeys(S3Settings from, String access, String secret) {
    return new S3Settings(
        from.name(),
        from.endpoint(),
        from.region(),
        from.bucket(),
        from.prefix(),
        access,
        secret,
        from.pathStyle(),
        from.lock(),
        from.limits());
  }
}
