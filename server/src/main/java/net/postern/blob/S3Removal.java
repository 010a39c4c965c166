package net.postern.blob;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;

/**
 * Deletes, so that it is gone: on a bucket that keeps versions every version goes, and no deletion
 * mark is left. Keys here are the server's. Safe for many threads.
 */
final class S3Removal {
  /** How long the bucket's answer whether it keeps versions counts. */
  private static final Duration KNOWN = Duration.ofHours(1);

  private final S3Settings settings;
  private final S3Calls calls;
  private final Clock clock;

  private record Versioning(boolean on, Instant until) {}

  private volatile Versioning versioning = new Versioning(false, Instant.MIN);

  S3Removal(S3Settings settings, S3Calls calls, Clock clock) {
    this.settings = settings;
    this.calls = calls;
    this.clock = clock;
  }

  /** Whether the bucket keeps versions. */
  boolean versioned() throws IOException {
    Versioning last = versioning;
    if (clock.instant().isBefore(last.until())) {
      return last.on();
    }
    boolean on = calls.versioned();
    versioning = new Versioning(on, clock.instant().plus(KNOWN));
    return on;
  }

  /**
   * Deletes an object and its pieces.
   *
   * @throws IOException when a lock forbids it; then nothing was deleted
   */
  void object(String key) throws IOException {
    if (!versioned()) {
      // Pieces first: behind a whole object that was deleted before them they would come to light.
      pieces(key);
      calls.delete(key);
      return;
    }
    List<S3Calls.Version> all = versions(key, found -> found.equals(key) || isPiece(found, key));
    for (S3Calls.Version version : all) {
      Optional<Instant> until =
          version.marker() ? Optional.empty() : calls.lockedUntil(version.key(), version.id());
      if (until.isPresent()) {
        throw new IOException(
            "store %s: %s is locked until %s and stays; it can be deleted then"
                .formatted(settings.name(), key, until.get()));
      }
    }
    delete(all);
  }

  /** Deletes all pieces that the server has of an object. */
  void pieces(String key) throws IOException {
    String prefix = key + ".";
    if (versioned()) {
      delete(versions(prefix, found -> isPiece(found, key)));
      return;
    }
    List<ObjectIdentifier> all = new ArrayList<>();
    calls.list(
        prefix,
        entry -> {
          if (isPiece(entry.key(), key)) {
            all.add(ObjectIdentifier.builder().key(entry.key()).build());
          }
        });
    calls.deleteAll(all.reversed());
  }

  /** Deletes some pieces, and leaves those alone that have come since. */
  void pieces(String key, List<Long> offsets) throws IOException {
    if (versioned()) {
      Set<String> keys =
          offsets.stream()
              .map(offset -> S3Pieces.key(key, offset))
              .collect(Collectors.toUnmodifiableSet());
      delete(versions(key + ".", keys::contains));
      return;
    }
    calls.deleteAll(
        offsets.stream()
            .map(offset -> ObjectIdentifier.builder().key(S3Pieces.key(key, offset)).build())
            .toList());
  }

  /** Deletes what has exactly this key. */
  void one(String key) throws IOException {
    if (versioned()) {
      delete(versions(key, key::equals));
    } else {
      calls.delete(key);
    }
  }

  /**
   * Deletes what an object that was just written has replaced: the versions that are older than its
   * own. A later one is another process's, which deletes this one; were each to delete all others,
   * nothing might be left.
   */
  void before(String key, Optional<String> written) throws IOException {
    if (written.isPresent() && versioned()) {
      delete(older(versions(key, key::equals), written.get()));
    }
  }

  // Nothing, when the own version is gone already.
  private static List<S3Calls.Version> older(List<S3Calls.Version> all, String own) {
    List<S3Calls.Version> older = new ArrayList<>();
    Optional<Instant> since = Optional.empty();
    for (S3Calls.Version each : all) {
      if (since.isPresent() && (!each.marker() || each.modified().isBefore(since.get()))) {
        older.add(each);
      } else if (each.id().equals(own)) {
        since = Optional.of(each.modified());
      }
    }
    return older;
  }

  private List<S3Calls.Version> versions(String prefix, Predicate<String> wanted)
      throws IOException {
    return calls.versions(prefix).stream().filter(found -> wanted.test(found.key())).toList();
  }

  private void delete(List<S3Calls.Version> versions) throws IOException {
    calls.deleteAll(
        versions.stream()
            .map(each -> ObjectIdentifier.builder().key(each.key()).versionId(each.id()).build())
            .toList());
  }

  private static boolean isPiece(String found, String key) {
    return S3Pieces.parse(found).map(S3Pieces.Name::object).equals(Optional.of(key));
  }
}
