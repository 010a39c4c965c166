package net.postern.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Debian's slapd on free ports of 127.0.0.1 with a directory of its own. It ends with {@link
 * #close}, or with the JVM: a guard waits for the JVM's end of a pipe to close.
 */
public final class Slapd implements AutoCloseable {
  public static final String BASE = "dc=example,dc=com";
  public static final String ADMIN = "cn=admin,dc=example,dc=com";
  public static final String PASSWORD = "a secret of slapd";

  private static final Path PROGRAM = Path.of("/usr/sbin/slapd");
  private static final Path LOADER = Path.of("/usr/sbin/slapadd");
  private static final Duration START = Duration.ofSeconds(30);

  /** Kills the program when its own input ends. */
  private static final String GUARD =
      "\"$@\" < /dev/null & p=$!; read -r _; kill -9 $p; wait $p; exit 0";

  private final Path directory;
  private final TestCertificate certificate = TestCertificate.forName("127.0.0.1");
  private final int port;
  private final int tlsPort;
  private Process guard;

  /**
   * Starts one with these entries.
   *
   * @param ldif below {@link #BASE}, which is made; skips the test without slapd
   */
  public static Slapd start(String ldif) throws IOException {
    boolean there = Files.isExecutable(PROGRAM) && Files.isExecutable(LOADER);
    String missing = "not tested here: " + PROGRAM + " is missing, install Debian's slapd";
    if (!there && "true".equals(System.getenv("CI"))) {
      Assertions.fail(missing);
    }
    Assumptions.assumeTrue(there, missing);
    return new Slapd(ldif);
  }

  private Slapd(String ldif) throws IOException {
    directory = Files.createTempDirectory("postern-slapd-");
    Files.createDirectory(directory.resolve("db"));
    Files.writeString(directory.resolve("cert.pem"), certificate.certificatePem());
    Files.writeString(directory.resolve("key.pem"), certificate.keyPem());
    Files.writeString(
        directory.resolve("slapd.conf"),
        """
        include /etc/ldap/schema/core.schema
        include /etc/ldap/schema/cosine.schema
        include /etc/ldap/schema/inetorgperson.schema
        modulepath /usr/lib/ldap
        moduleload back_mdb
        pidfile %1$s/slapd.pid
        TLSCertificateFile %1$s/cert.pem
        TLSCertificateKeyFile %1$s/key.pem
        sizelimit size.soft=300 size.hard=300 size.pr=250 size.prtotal=unlimited
        database mdb
        suffix %2$s
        rootdn cn=root,%2$s
        directory %1$s/db
        access to attrs=userPassword by anonymous auth
        access to * by dn.exact=%3$s read
        """
            .formatted(directory, BASE, ADMIN));
    Path data = directory.resolve("data.ldif");
    Files.writeString(
        data,
        """
        dn: %1$s
        objectClass: dcObject
        objectClass: organization
        o: Example
        dc: example

        dn: %2$s
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: admin
        userPassword: %3$s

        """
                .formatted(BASE, ADMIN, PASSWORD)
            + ldif);
    run(LOADER.toString(), "-f", directory.resolve("slapd.conf").toString(), "-l", data.toString());
    port = Ports.free();
    tlsPort = Ports.free();
    guard = launch();
  }

  private Process launch() throws IOException {
    Process started =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                GUARD,
                "guard",
                PROGRAM.toString(),
                "-d",
                "0",
                "-f",
                directory.resolve("slapd.conf").toString(),
                "-h",
                "ldap://127.0.0.1:%d ldaps://127.0.0.1:%d".formatted(port, tlsPort))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    try {
      Await.until(START, () -> answers(port) && answers(tlsPort));
    } catch (AssertionError e) {
      started.getOutputStream().close();
      throw new IOException(
          "slapd does not start: " + Files.readString(directory.resolve("log")), e);
    }
    return started;
  }

  public String url() {
    return "ldap://127.0.0.1:" + port;
  }

  public String tlsUrl() {
    return "ldaps://127.0.0.1:" + tlsPort;
  }

  /** What a client has to trust. */
  public String certificate() {
    return certificate.certificatePem();
  }

  /** Stops it as a crash does. */
  public void stop() throws IOException {
    guard.getOutputStream().close();
    try {
      if (!guard.waitFor(10, TimeUnit.SECONDS)) {
        throw new IOException("slapd does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Starts it again on the same ports. */
  public void restart() throws IOException {
    guard = launch();
  }

  @Override
  public void close() throws IOException {
    stop();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }

  private static void run(String... command) throws IOException {
    Process process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException(command[0] + " failed: " + said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), 1_000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
