package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.blob.S3Settings.Lock;
import net.postern.blob.S3Settings.LockMode;
import net.postern.testkit.Await;
import net.postern.testkit.RadosGateway;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectLockRetentionMode;

/** The contract on a server of other make, and what s3proxy does not know: versions and locks. */
class RadosStoreTest extends S3StoreContract {
  private static final Duration DAY = Duration.ofDays(1);

  private final String prefix = UUID.randomUUID() + "/";

  @BeforeEach
  void needsTheServer() {
    RadosGateway.shared();
  }

  @Override
  protected S3Settings settings() {
    return settings(RadosGateway.BUCKETS.getFirst());
  }

  private S3Settings settings(String bucket) {
    return new S3Settings(
        "rados",
        RadosGateway.shared().endpoint(),
        RadosGateway.REGION,
        bucket,
        prefix,
        RadosGateway.ACCESS_KEY,
        RadosGateway.SECRET_KEY,
        true,
        Optional.empty(),
        S3Settings.Limits.STANDARD);
  }

  private List<String> versions(String bucket) {
    try (S3Client client = RadosGateway.shared().client()) {
      var answer = client.listObjectVersions(request -> request.bucket(bucket).prefix(prefix));
      List<String> found = new ArrayList<>();
      answer.versions().forEach(each -> found.add(each.key().substring(prefix.length())));
      answer.deleteMarkers().forEach(each -> found.add("marker " + each.key()));
      return found;
    }
  }

  @Test
  void whatIsReplacedOrDeletedIsGoneInAllVersions() throws IOException {
    String bucket = RadosGateway.VERSIONED;
    try (S3Store store = new S3Store(settings(bucket))) {
      String key = "keys/" + UUID.randomUUID();
      store.put(key, ByteBuffer.wrap(new byte[] {1}));
      store.put(key, ByteBuffer.wrap(new byte[] {2}));
      store.put(key, ByteBuffer.wrap(new byte[] {3}));
      assertEquals(List.of(key), versions(bucket), "one version, the last");
      assertEquals(3, store.range(key, 0, 1)[0]);
      store.delete(key);
      assertEquals(List.of(), versions(bucket), "nor a mark that something was deleted");

      String segment = "segments/" + UUID.randomUUID();
      try (Appender appender = store.append(segment)) {
        for (int i = 0; i < 5; i++) {
          appender.append(ByteBuffer.allocate(100));
        }
        appender.truncate(350);
        assertEquals(4, versions(bucket).size());
      }
      Await.until(() -> store.inPieces() == 0);
      assertEquals(List.of(segment), versions(bucket), "pieces are gone too");
      assertEquals(350, store.length(segment));
      store.delete(segment);
      assertEquals(List.of(), versions(bucket));
    }
  }

  /** The control: the bucket does keep what another client deletes. */
  @Test
  void theBucketKeepsVersions() throws IOException {
    String bucket = RadosGateway.VERSIONED;
    try (S3Store store = new S3Store(settings(bucket));
        S3Client client = RadosGateway.shared().client()) {
      String object = "keys/" + UUID.randomUUID();
      store.put(object, ByteBuffer.allocate(1));
      client.deleteObject(request -> request.bucket(bucket).key(prefix + object));
      assertEquals(List.of(object, "marker " + prefix + object), versions(bucket));
      store.delete(object);
      assertEquals(List.of(), versions(bucket));
    }
  }

  /** Both have written before either deletes what it has replaced: the later one stays. */
  @Test
  void twoThatWriteOneKeyAtOnceLeaveTheLaterOne() throws IOException {
    S3Settings settings = settings(RadosGateway.VERSIONED);
    String key = prefix + "keys/" + UUID.randomUUID();
    try (S3Calls calls = new S3Calls(settings)) {
      S3Removal removal = new S3Removal(settings, calls, Clock.systemUTC());
      List<Optional<String>> written = new ArrayList<>();
      for (byte i = 0; i < 3; i++) {
        written.add(calls.put(key, new S3Calls.Body(new byte[] {i}, 0, 1), Optional.empty()));
      }
      removal.before(key, Optional.of("none-of-these"));
      assertEquals(3, calls.versions(key).size());
      removal.before(key, written.get(1));
      assertEquals(2, calls.versions(key).size(), "only what is older is gone");
      removal.before(key, written.get(0));
      assertEquals(2, calls.versions(key).size(), "its own is gone already");
      removal.before(key, written.get(2));
      assertEquals(1, calls.versions(key).size(), "the control");
      assertArrayEquals(new byte[] {2}, calls.get(key, 0, 1).orElseThrow());
    }
  }

  @Test
  void wholeSegmentsAreLockedAndNothingElse() throws IOException {
    String bucket = RadosGateway.LOCKED;
    S3Settings settings =
        S3TestStores.withLock(settings(bucket), new Lock(DAY, LockMode.GOVERNANCE));
    try (S3Store store = new S3Store(settings);
        S3Client client = RadosGateway.shared().client()) {
      Instant before = Instant.now();
      String small = "segments/" + UUID.randomUUID();
      String large = "segments/" + UUID.randomUUID();
      grow(store, small, 1_000);
      grow(store, large, 5 << 20);
      for (String object : List.of(small, large)) {
        var retention =
            client
                .getObjectRetention(request -> request.bucket(bucket).key(prefix + object))
                .retention();
        assertEquals(ObjectLockRetentionMode.GOVERNANCE, retention.mode());
        Instant until = retention.retainUntilDate();
        assertTrue(until.isAfter(before.plus(DAY).minusSeconds(2)), until::toString);
        assertTrue(until.isBefore(Instant.now().plus(DAY).plusSeconds(2)), until::toString);
        IOException failure = assertThrows(IOException.class, () -> store.delete(object));
        assertTrue(failure.toString().contains("is locked until " + until), failure::toString);
        assertTrue(store.length(object) > 0, "it is still there");
      }
      assertEquals(2, versions(bucket).size(), "their pieces are gone");

      // The controls: keys stay erasable, also beside locked segments.
      String key = "keys/" + UUID.randomUUID();
      store.put(key, ByteBuffer.wrap(new byte[] {1}));
      store.put(key, ByteBuffer.wrap(new byte[] {2}));
      assertEquals(3, versions(bucket).size());
      store.delete(key);
      assertEquals(2, versions(bucket).size());

      // A mended copy comes on top; the locked one stays below it.
      store.put(small, ByteBuffer.wrap(new byte[] {7}));
      assertArrayEquals(new byte[] {7}, store.range(small, 0, 1));
      assertEquals(3, versions(bucket).size());
    }
  }

  private static void grow(S3Store store, String object, int step) throws IOException {
    try (Appender appender = store.append(object)) {
      for (int i = 0; i < 3; i++) {
        appender.append(ByteBuffer.allocate(step));
      }
    }
    Await.until(() -> store.inPieces() == 0);
  }

  /** A clock that is wrong by hours is made up for: the server says what it takes the time for. */
  @Test
  void aServerWhoseClockIsWrongCanBeUsed() throws IOException {
    for (String offset : List.of("+2h", "-2h")) {
      S3Settings right = settings();
      S3Settings wrong =
          new S3Settings(
              right.name(),
              RadosGateway.shared().skewed(offset),
              right.region(),
              right.bucket(),
              right.prefix(),
              right.accessKey(),
              right.secretKey(),
              true,
              right.lock(),
              right.limits());
      try (S3Store store = new S3Store(wrong);
          S3Store other = new S3Store(right)) {
        String object = "segments/" + UUID.randomUUID();
        grow(store, object, 100);
        assertEquals(300, other.length(object), offset);
      }
    }
  }
}
