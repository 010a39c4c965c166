package net.postern.testkit;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;

/**
 * Ceph's S3 server (Debian's radosgw), with one monitor and one object daemon that keeps everything
 * in memory: processes of our own on loopback, one set for each test JVM. They end with the JVM,
 * however it ends: each has a guard that waits for the JVM's end of a pipe to close.
 *
 * <p>There are three plain buckets, one that keeps versions, and one with object lock.
 */
public final class RadosGateway {
  public static final String ACCESS_KEY = "test-access";
  public static final String SECRET_KEY = "test-secret-that-is-long-enough";
  public static final String REGION = "default";
  public static final List<String> BUCKETS = List.of("one", "two", "three");
  public static final String VERSIONED = "versioned";
  public static final String LOCKED = "locked";

  private static final Duration START = Duration.ofSeconds(60);
  private static final Path FAKETIME =
      Path.of(
          "/usr/lib/%s-linux-gnu/faketime/libfaketime.so.1"
              .formatted(System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64"));
  private static final Object LOCK = new Object();
  private static final List<RadosGateway> SHARED = new ArrayList<>();

  /** Kills the program when its own input ends, and removes a directory then. */
  private static final String GUARD =
      "d=$1; shift; \"$@\" < /dev/null & p=$!; read -r _; kill -9 $p; wait $p;"
          + " [ -z \"$d\" ] || rm -rf \"$d\"";

  private final Path directory;
  private final Path conf;
  private final List<Process> guards = new ArrayList<>();
  private final URI endpoint;

  /** The one of this JVM; started when it is first asked for. Skips the test where it cannot be. */
  public static RadosGateway shared() {
    List<String> missing =
        Stream.of("radosgw", "ceph-mon", "ceph-osd", "ceph", "monmaptool", "radosgw-admin")
            .filter(program -> !Files.isExecutable(Path.of("/usr/bin/" + program)))
            .toList();
    needs(missing.isEmpty(), missing + " missing: install Debian's radosgw, ceph-mon and ceph-osd");
    synchronized (LOCK) {
      if (SHARED.isEmpty()) {
        SHARED.add(new RadosGateway());
      }
      return SHARED.getFirst();
    }
  }

  private static void needs(boolean there, String what) {
    if (!there && "true".equals(System.getenv("CI"))) {
      Assertions.fail("not tested here: " + what);
    }
    Assumptions.assumeTrue(there, "not tested here: " + what);
  }

  private RadosGateway() {
    try {
      directory = Files.createTempDirectory("postern-rgw-");
      conf = directory.resolve("ceph.conf");
      for (String name : List.of("mon", "osd", "run", "rgw", "crash")) {
        Files.createDirectory(directory.resolve(name));
      }
      endpoint = start();
      makeBuckets();
    } catch (IOException e) {
      throw new IllegalStateException("radosgw does not start", e);
    }
  }

  /** Where it listens. */
  public URI endpoint() {
    return endpoint;
  }

  /**
   * Where a second gateway to the same buckets listens, whose clock is wrong. Skips the test
   * without Debian's libfaketime.
   *
   * @param offset as libfaketime has it, such as {@code +2h}
   */
  public URI skewed(String offset) {
    needs(Files.exists(FAKETIME), FAKETIME + " missing: install Debian's libfaketime");
    synchronized (LOCK) {
      try {
        return gateway(Map.of("LD_PRELOAD", FAKETIME.toString(), "FAKETIME", offset));
      } catch (IOException e) {
        throw new IllegalStateException("a second radosgw does not start", e);
      }
    }
  }

  /** A client for what stores do not do, such as looking at old versions. To be closed. */
  public S3Client client() {
    return S3Client.builder()
        .endpointOverride(endpoint)
        .region(Region.of(REGION))
        .forcePathStyle(true)
        .credentialsProvider(
            StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
        .httpClientBuilder(UrlConnectionHttpClient.builder())
        .build();
  }

  private URI start() throws IOException {
    String fsid = UUID.randomUUID().toString();
    int monitor = Ports.free();
    Files.writeString(
        conf,
        """
        [global]
        fsid = %1$s
        mon_host = v2:127.0.0.1:%2$d
        public_network = 127.0.0.0/8
        cluster_network = 127.0.0.0/8
        auth_cluster_required = none
        auth_service_required = none
        auth_client_required = none
        ms_mon_client_mode = crc
        ms_mon_service_mode = crc
        ms_mon_cluster_mode = crc
        ms_client_mode = crc
        ms_service_mode = crc
        ms_cluster_mode = crc
        run_dir = %3$s/run
        log_file = %3$s/$name.log
        admin_socket =
        pid_file =
        crash_dir = %3$s/crash
        keyring = %3$s/keyring
        mon_data = %3$s/mon
        mon_data_avail_crit = 1
        mon_allow_pool_size_one = true
        mon_max_pg_per_osd = 1000
        paxos_propose_interval = 0.05
        osd_data = %3$s/osd
        osd_objectstore = memstore
        memstore_device_bytes = 4294967296
        osd_pool_default_size = 1
        osd_pool_default_min_size = 1
        osd_pool_default_pg_num = 1
        osd_pool_default_pgp_num = 1
        osd_pool_default_pg_autoscale_mode = off
        osd_crush_chooseleaf_type = 0
        rgw_data = %3$s/rgw
        rgw_run_sync_thread = false
        rgw_enable_gc_threads = false
        rgw_enable_lc_threads = false
        rgw_enable_quota_threads = false
        rgw_thread_pool_size = 32
        """
            .formatted(fsid, monitor, directory));
    Files.writeString(directory.resolve("keyring"), "");
    String map = directory.resolve("monmap").toString();
    String address = "[v2:127.0.0.1:" + monitor + "]";
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, map);
    run("ceph-mon", "-c", conf.toString(), "--mkfs", "-i", "a", "--monmap", map);
    guarded(Map.of(), true, "ceph-mon", "-c", conf.toString(), "-i", "a", "-f");
    String osd = UUID.randomUUID().toString();
    run("ceph", "-c", conf.toString(), "osd", "new", osd);
    run("ceph-osd", "-c", conf.toString(), "-i", "0", "--mkfs", "--osd-uuid", osd);
    guarded(Map.of(), false, "ceph-osd", "-c", conf.toString(), "-i", "0", "-f");
    URI uri = gateway(Map.of());
    run(
        "radosgw-admin",
        "-c",
        conf.toString(),
        "user",
        "create",
        "--uid=test",
        "--display-name=test",
        "--access-key=" + ACCESS_KEY,
        "--secret-key=" + SECRET_KEY);
    return uri;
  }

  private URI gateway(Map<String, String> environment) throws IOException {
    int port = Ports.free();
    guarded(
        environment,
        false,
        "radosgw",
        "-c",
        conf.toString(),
        "-n",
        "client.admin",
        "-f",
        "--rgw_frontends",
        "beast endpoint=127.0.0.1:" + port);
    URI uri = URI.create("http://127.0.0.1:" + port);
    Await.until(START, () -> answers(uri));
    return uri;
  }

  private static boolean answers(URI uri) {
    try {
      HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
      connection.setConnectTimeout(1_000);
      connection.setReadTimeout(5_000);
      try {
        return connection.getResponseCode() > 0;
      } finally {
        connection.disconnect();
      }
    } catch (IOException e) {
      return false;
    }
  }

  private void makeBuckets() {
    try (S3Client client = client()) {
      for (String bucket : BUCKETS) {
        client.createBucket(request -> request.bucket(bucket));
      }
      client.createBucket(request -> request.bucket(VERSIONED));
      client.putBucketVersioning(
          request ->
              request
                  .bucket(VERSIONED)
                  .versioningConfiguration(to -> to.status(BucketVersioningStatus.ENABLED)));
      client.createBucket(request -> request.bucket(LOCKED).objectLockEnabledForBucket(true));
    }
  }

  private void guarded(Map<String, String> environment, boolean last, String... command)
      throws IOException {
    List<String> whole =
        new ArrayList<>(List.of("sh", "-c", GUARD, "guard", last ? directory.toString() : ""));
    whole.addAll(Arrays.asList(command));
    ProcessBuilder builder = new ProcessBuilder(whole);
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true);
    builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(directory.resolve(command[0] + ".out").toFile()));
    guards.add(builder.start());
  }

  private void run(String... command) throws IOException {
    Path out = Files.createTempFile(directory, "run", ".out");
    Process process =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      if (!process.waitFor(START.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException(
            String.join(" ", command) + " does not end: " + Files.readString(out));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + Files.readString(out));
    }
  }
}
