package net.postern.blob;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.LegacyMd5Plugin;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.ObjectLockMode;
import software.amazon.awssdk.services.s3.model.ObjectLockRetentionMode;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * The requests that an S3 store makes, each bounded in time, counted, and failing with a sentence
 * that says what to do. Keys here are the server's, with the prefix. Safe for many threads.
 *
 * <p>Bodies are sent with their MD5, and over plain HTTP with their SHA-256 in the signature: what
 * is damaged on the way is refused by the server. Servers differ in newer checksums, so none are
 * sent.
 */
final class S3Calls implements AutoCloseable {
  /** Keys in one bulk deletion. */
  static final int BULK = 1_000;

  private static final String TYPE = "application/octet-stream";

  /** Slowest transfer that is waited for, in bytes a second. */
  private static final long SLOWEST = 1 << 20;

  private final S3Settings settings;
  private final S3Client client;
  private final S3Failures failures;
  private final RequestCounter counter = new RequestCounter();

  S3Calls(S3Settings settings) {
    this.settings = settings;
    this.failures = new S3Failures(settings);
    S3Settings.Limits limits = settings.limits();
    this.client =
        S3Client.builder()
            .endpointOverride(settings.endpoint())
            .region(Region.of(settings.region()))
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(settings.accessKey(), settings.secretKey())))
            .forcePathStyle(settings.pathStyle())
            .serviceConfiguration(
                S3Configuration.builder()
                    .chunkedEncodingEnabled(false)
                    .expectContinueEnabled(false)
                    .build())
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            // Bulk deletion wants a checksum, and older servers know no other.
            .addPlugin(LegacyMd5Plugin.create())
            .httpClientBuilder(
                UrlConnectionHttpClient.builder()
                    .connectionTimeout(limits.connect())
                    .socketTimeout(limits.attempt())
                    .proxyConfiguration(
                        ProxyConfiguration.builder().useEnvironmentVariablesValues(false).build()))
            .overrideConfiguration(
                override ->
                    override
                        .addExecutionInterceptor(counter)
                        // What someone has in ~/.aws is for other programs.
                        .defaultProfileFileSupplier(S3Calls::noProfile)
                        .retryStrategy(
                            AwsRetryStrategy.standardRetryStrategy().toBuilder()
                                .maxAttempts(limits.retries() + 1)
                                .build()))
            .build();
  }

  private static ProfileFile noProfile() {
    return ProfileFile.builder()
        .content(new ByteArrayInputStream(new byte[0]))
        .type(ProfileFile.Type.CONFIGURATION)
        .build();
  }

  S3Requests count() {
    return counter.count();
  }

  @Override
  public void close() {
    client.close();
  }

  // ---- writing ----

  /** Bytes to send. The array is not copied. */
  record Body(byte[] array, int offset, int length) {

    static Body of(ByteBuffer content) {
      if (content.hasArray()) {
        return new Body(
            content.array(), content.arrayOffset() + content.position(), content.remaining());
      }
      byte[] copy = new byte[content.remaining()];
      content.duplicate().get(copy);
      return new Body(copy, 0, copy.length);
    }

    private RequestBody request() {
      return RequestBody.fromContentProvider(
          () -> new ByteArrayInputStream(array, offset, length), length, TYPE);
    }

    private String md5() {
      return Base64.getEncoder().encodeToString(digest());
    }

    private byte[] digest() {
      try {
        MessageDigest digest = MessageDigest.getInstance("MD5");
        digest.update(array, offset, length);
        return digest.digest();
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("MD5 is missing from this Java runtime", e);
      }
    }
  }

  /** What a conditional write found. */
  enum Fresh {
    WRITTEN,
    /** Something has that key. */
    TAKEN,
    /** The server cannot write on a condition; nothing was written. */
    UNKNOWN
  }

  /**
   * Writes an object, replacing one that has the key.
   *
   * @param until the server is to refuse deletion
   * @return the version, where the bucket keeps versions
   */
  Optional<String> put(String key, Body body, Optional<Instant> until) throws IOException {
    return call(
        "put " + key,
        () ->
            Optional.ofNullable(
                client
                    .putObject(
                        request -> {
                          request
                              .bucket(settings.bucket())
                              .key(key)
                              .contentMD5(body.md5())
                              .overrideConfiguration(limits(body.length()));
                          until.ifPresent(
                              end ->
                                  request
                                      .objectLockMode(lockMode())
                                      .objectLockRetainUntilDate(end));
                        },
                        body.request())
                    .versionId()));
  }

  /** Writes an object only when nothing has the key. */
  Fresh putFresh(String key, Body body) throws IOException {
    String what = "put " + key;
    try {
      tried(
          () ->
              client.putObject(
                  request ->
                      request
                          .bucket(settings.bucket())
                          .key(key)
                          .ifNoneMatch("*")
                          .contentMD5(body.md5())
                          .overrideConfiguration(limits(body.length())),
                  body.request()));
      return Fresh.WRITTEN;
    } catch (S3Exception e) {
      return switch (e.statusCode()) {
        case 412 -> Fresh.TAKEN;
        case 501 -> Fresh.UNKNOWN;
        default -> throw failures.explain(what, e);
      };
    } catch (SdkException | UncheckedIOException e) {
      throw failures.explain(what, e);
    }
  }

  String beginMultipart(String key, Optional<Instant> until) throws IOException {
    return call(
        "begin upload of " + key,
        () ->
            client
                .createMultipartUpload(
                    request -> {
                      request
                          .bucket(settings.bucket())
                          .key(key)
                          .contentType(TYPE)
                          .overrideConfiguration(limits(0));
                      until.ifPresent(
                          end -> request.objectLockMode(lockMode()).objectLockRetainUntilDate(end));
                    })
                .uploadId());
  }

  CompletedPart part(String key, String upload, int number, Body body) throws IOException {
    return call(
        "upload part %d of %s".formatted(number, key),
        () ->
            CompletedPart.builder()
                .partNumber(number)
                .eTag(
                    client
                        .uploadPart(
                            request ->
                                request
                                    .bucket(settings.bucket())
                                    .key(key)
                                    .uploadId(upload)
                                    .partNumber(number)
                                    .contentMD5(body.md5())
                                    .overrideConfiguration(limits(body.length())),
                            body.request())
                        .eTag())
                .build());
  }

  /**
   * @param length of the whole object: servers may take time for putting it together
   */
  Optional<String> completeMultipart(
      String key, String upload, List<CompletedPart> parts, long length) throws IOException {
    return call(
        "complete upload of " + key,
        () ->
            Optional.ofNullable(
                client
                    .completeMultipartUpload(
                        request ->
                            request
                                .bucket(settings.bucket())
                                .key(key)
                                .uploadId(upload)
                                .multipartUpload(all -> all.parts(parts))
                                .overrideConfiguration(limits(length)))
                    .versionId()));
  }

  void abortMultipart(String key, String upload) throws IOException {
    call(
        "abort upload of " + key,
        () ->
            client.abortMultipartUpload(
                request ->
                    request
                        .bucket(settings.bucket())
                        .key(key)
                        .uploadId(upload)
                        .overrideConfiguration(limits(0))));
  }

  /** Moves the end of a lock away. */
  void lock(String key, Instant until) throws IOException {
    call(
        "lock " + key,
        () ->
            client.putObjectRetention(
                request ->
                    request
                        .bucket(settings.bucket())
                        .key(key)
                        .retention(
                            retention ->
                                retention
                                    .mode(ObjectLockRetentionMode.fromValue(lockMode().toString()))
                                    .retainUntilDate(until))
                        .overrideConfiguration(limits(0))));
  }

  private ObjectLockMode lockMode() {
    return switch (settings.lock().map(S3Settings.Lock::mode).orElseThrow()) {
      case GOVERNANCE -> ObjectLockMode.GOVERNANCE;
      case COMPLIANCE -> ObjectLockMode.COMPLIANCE;
    };
  }

  // ---- reading ----

  /**
   * Reads a part of an object.
   *
   * @param length at least 1
   * @return nothing when no object has that key
   * @throws EOFException when the object ends before
   */
  Optional<byte[]> get(String key, long offset, int length) throws IOException {
    return fetch(key, offset, length).map(Got::bytes);
  }

  /**
   * Reads a part of an object that is to be written elsewhere and deleted here. What was damaged on
   * its way is found: by the MD5 that is the entity tag of an object written in one request, and
   * where there is none by reading twice.
   *
   * @param length at least 1
   * @return nothing when no object has that key
   * @throws EOFException when the object ends before
   * @throws IOException also when the bytes are not the ones that were written
   */
  Optional<byte[]> getChecked(String key, long offset, int length) throws IOException {
    Optional<Got> first = fetch(key, offset, length);
    if (first.isEmpty()) {
      return Optional.empty();
    }
    byte[] bytes = first.get().bytes();
    Optional<String> md5 = first.get().md5();
    boolean right =
        md5.isPresent()
            ? md5.get().equals(HexFormat.of().formatHex(new Body(bytes, 0, length).digest()))
            : Arrays.equals(bytes, get(key, offset, length).orElse(new byte[0]));
    if (!right) {
      throw new IOException(
          "store %s: %s did not come as it was written; nothing was changed, it is tried again"
              .formatted(settings.name(), key));
    }
    return Optional.of(bytes);
  }

  /** An answer: bytes, and the MD5 of these when the server said it. */
  private record Got(byte[] bytes, Optional<String> md5) {
    private static final Pattern MD5 = Pattern.compile("\"?([0-9a-f]{32})\"?");

    static Got of(byte[] bytes, GetObjectResponse response) {
      boolean all =
          "bytes 0-%d/%d".formatted(bytes.length - 1, bytes.length).equals(response.contentRange());
      // Under keys of customers or of a key service the tag looks like an MD5 and is none.
      boolean other =
          response.sseCustomerAlgorithm() != null
              || (response.serverSideEncryptionAsString() != null
                  && !response.serverSideEncryptionAsString().equals("AES256"));
      String tag = response.eTag();
      Matcher matcher = MD5.matcher(tag == null ? "" : tag.toLowerCase(Locale.ROOT));
      return new Got(
          bytes,
          all && !other && matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty());
    }
  }

  private Optional<Got> fetch(String key, long offset, int length) throws IOException {
    String what = "get " + key;
    long end = offset + length;
    GetObjectRequest request =
        GetObjectRequest.builder()
            .bucket(settings.bucket())
            .key(key)
            .range("bytes=%d-%d".formatted(offset, end - 1))
            .overrideConfiguration(limits(length))
            .build();
    ResponseTransformer<GetObjectResponse, Optional<Got>> body =
        (response, stream) -> {
          String range = response.contentRange();
          if (range == null || !range.startsWith("bytes " + offset + "-")) {
            stream.abort();
            throw SdkException.create("the server ignores ranges (" + range + ")", null);
          }
          long available = response.contentLength();
          if (available < length) {
            stream.abort();
            return Optional.empty();
          }
          byte[] bytes = new byte[length];
          int read = stream.readNBytes(bytes, 0, length);
          if (read < length) {
            throw new IOException("the answer ends after %d of %d bytes".formatted(read, length));
          }
          return Optional.of(Got.of(bytes, response));
        };
    try {
      Optional<Got> got = tried(() -> client.getObject(request, body));
      if (got.isEmpty()) {
        throw ends(key, end);
      }
      return got;
    } catch (S3Exception e) {
      if (e.statusCode() == 416) {
        throw ends(key, end);
      }
      if (isNoSuchKey(e)) {
        return Optional.empty();
      }
      throw failures.explain(what, e);
    } catch (SdkException | UncheckedIOException e) {
      throw failures.explain(what, e);
    }
  }

  private EOFException ends(String key, long end) {
    return new EOFException("store %s: %s ends before %d".formatted(settings.name(), key, end));
  }

  /** A missing bucket is no missing object. */
  private static boolean isNoSuchKey(S3Exception failure) {
    return failure.statusCode() == 404 && !S3Failures.code(failure).equals("NoSuchBucket");
  }

  /**
   * The length of an object. Nothing means that no object has that key, <em>or that there is no
   * such bucket</em>: the answer has no body that could say which.
   */
  OptionalLong head(String key) throws IOException {
    Optional<HeadObjectResponse> found = head(key, Optional.empty());
    return found.isEmpty() ? OptionalLong.empty() : OptionalLong.of(found.get().contentLength());
  }

  private Optional<HeadObjectResponse> head(String key, Optional<String> version)
      throws IOException {
    String what = "look at " + key;
    try {
      return Optional.of(
          client.headObject(
              request -> {
                request.bucket(settings.bucket()).key(key).overrideConfiguration(limits(0));
                version.ifPresent(request::versionId);
              }));
    } catch (S3Exception e) {
      if (e.statusCode() == 404) {
        return Optional.empty();
      }
      throw failures.explain(what, e);
    } catch (SdkException | UncheckedIOException e) {
      throw failures.explain(what, e);
    }
  }

  /** Until when the server refuses to delete a version. */
  Optional<Instant> lockedUntil(String key, String version) throws IOException {
    return head(key, Optional.of(version))
        .map(HeadObjectResponse::objectLockRetainUntilDate)
        .filter(end -> end.isAfter(Instant.now()));
  }

  /** A key as a listing shows it. */
  record Entry(String key, long length, Instant modified) {}

  /** Calls {@code each} with every key that begins with a prefix, in the order of their bytes. */
  void list(String prefix, Consumer<Entry> each) throws IOException {
    Optional<String> next = Optional.empty();
    do {
      Optional<String> from = next;
      ListObjectsV2Response page =
          call(
              "list " + prefix,
              () ->
                  client.listObjectsV2(
                      request -> {
                        request
                            .bucket(settings.bucket())
                            .prefix(prefix)
                            .overrideConfiguration(limits(0));
                        from.ifPresent(request::continuationToken);
                      }));
      for (S3Object object : page.contents()) {
        Instant modified = object.lastModified();
        each.accept(
            new Entry(object.key(), object.size(), modified == null ? Instant.now() : modified));
      }
      next =
          Boolean.TRUE.equals(page.isTruncated())
              ? Optional.ofNullable(page.nextContinuationToken())
              : Optional.empty();
    } while (next.isPresent());
  }

  /** An upload that was begun and not completed. */
  record Unfinished(String key, String upload, Instant begun) {}

  List<Unfinished> unfinished(String prefix) throws IOException {
    // One page: those of more than a thousand are found the next time.
    return call(
        "list unfinished uploads",
        () ->
            client
                .listMultipartUploads(
                    request ->
                        request
                            .bucket(settings.bucket())
                            .prefix(prefix)
                            .overrideConfiguration(limits(0)))
                .uploads()
                .stream()
                .map(each -> new Unfinished(each.key(), each.uploadId(), each.initiated()))
                .toList());
  }

  // ---- deleting ----

  /** Deletes the object with a key, in a bucket without versions. */
  void delete(String key) throws IOException {
    call(
        "delete " + key,
        () ->
            client.deleteObject(
                request ->
                    request.bucket(settings.bucket()).key(key).overrideConfiguration(limits(0))));
  }

  /** A version of an object, or a mark that it was deleted. */
  record Version(String key, String id, Instant modified, boolean marker) {}

  /**
   * Every version of everything whose key begins with a prefix; of one key the latest content
   * first. Marks come apart from content.
   */
  List<Version> versions(String prefix) throws IOException {
    List<Version> found = new ArrayList<>();
    Optional<ListObjectVersionsResponse> before = Optional.empty();
    do {
      Optional<ListObjectVersionsResponse> from = before;
      ListObjectVersionsResponse page =
          call(
              "list versions of " + prefix,
              () ->
                  client.listObjectVersions(
                      request -> {
                        request
                            .bucket(settings.bucket())
                            .prefix(prefix)
                            .overrideConfiguration(limits(0));
                        from.ifPresent(
                            last ->
                                request
                                    .keyMarker(last.nextKeyMarker())
                                    .versionIdMarker(last.nextVersionIdMarker()));
                      }));
      page.versions()
          .forEach(
              each ->
                  found.add(new Version(each.key(), each.versionId(), each.lastModified(), false)));
      page.deleteMarkers()
          .forEach(
              each ->
                  found.add(new Version(each.key(), each.versionId(), each.lastModified(), true)));
      before = Boolean.TRUE.equals(page.isTruncated()) ? Optional.of(page) : Optional.empty();
    } while (before.isPresent());
    return found;
  }

  /** Deletes in requests of up to a thousand. */
  void deleteAll(List<ObjectIdentifier> all) throws IOException {
    for (int i = 0; i < all.size(); i += BULK) {
      List<ObjectIdentifier> some = all.subList(i, Math.min(all.size(), i + BULK));
      DeleteObjectsResponse answer =
          call(
              "delete %d objects".formatted(some.size()),
              () ->
                  client.deleteObjects(
                      request ->
                          request
                              .bucket(settings.bucket())
                              .delete(delete -> delete.objects(some).quiet(true))
                              .overrideConfiguration(limits(SLOWEST))));
      if (!answer.errors().isEmpty()) {
        var first = answer.errors().getFirst();
        throw new IOException(
            "store %s: %d of %d objects were not deleted, such as %s (%s: %s)"
                .formatted(
                    settings.name(),
                    answer.errors().size(),
                    some.size(),
                    first.key(),
                    first.code(),
                    first.message()));
      }
    }
  }

  // ---- the bucket ----

  /** Whether the bucket keeps, or has kept, old versions. A server that cannot say has none. */
  boolean versioned() throws IOException {
    String what = "ask for versioning of bucket " + settings.bucket();
    try {
      BucketVersioningStatus status =
          client
              .getBucketVersioning(
                  request -> request.bucket(settings.bucket()).overrideConfiguration(limits(0)))
              .status();
      return status == BucketVersioningStatus.ENABLED || status == BucketVersioningStatus.SUSPENDED;
    } catch (S3Exception e) {
      if (e.statusCode() == 501 || e.statusCode() == 405) {
        return false;
      }
      throw failures.explain(what, e);
    } catch (SdkException | UncheckedIOException e) {
      throw failures.explain(what, e);
    }
  }

  /** Whether keys can be listed: asks for one. */
  void check(String prefix) throws IOException {
    call(
        "look into bucket " + settings.bucket(),
        () ->
            client.listObjectsV2(
                request ->
                    request
                        .bucket(settings.bucket())
                        .prefix(prefix)
                        .maxKeys(1)
                        .overrideConfiguration(limits(0))));
  }

  // The library tries again what it takes for passing, but not when the server ends the connection
  // in
  // the middle of a body, as servers do with one that was idle for long.
  private <T> T tried(Supplier<T> request) {
    for (int left = settings.limits().retries(); ; left--) {
      try {
        return request.get();
      } catch (UncheckedIOException e) {
        if (left <= 0) {
          throw e;
        }
      }
    }
  }

  private <T> T call(String what, Supplier<T> request) throws IOException {
    try {
      return tried(request);
    } catch (SdkException | UncheckedIOException e) {
      throw failures.explain(what, e);
    }
  }

  private AwsRequestOverrideConfiguration limits(long bytes) {
    Duration transfer = Duration.ofSeconds(bytes / SLOWEST);
    S3Settings.Limits limits = settings.limits();
    return AwsRequestOverrideConfiguration.builder()
        .apiCallAttemptTimeout(limits.attempt().plus(transfer))
        .apiCallTimeout(limits.call().plus(transfer.multipliedBy(limits.retries() + 1L)))
        .build();
  }
}
