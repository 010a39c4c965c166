package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import net.postern.config.ConfigLoader;
import net.postern.config.EdgeConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A renewed certificate is used without a restart; a bad one is not. */
class CertificateWatchTest {
  private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

  @TempDir Path directory;
  private Path certificate = Path.of("");
  private Path key = Path.of("");

  @BeforeEach
  void paths() {
    certificate = directory.resolve("certificate.pem");
    key = directory.resolve("key.pem");
  }

  private void issue(Instant when) throws Exception {
    Files.deleteIfExists(certificate);
    Files.deleteIfExists(key);
    SelfSignedCertificate.create("mx.example.net", when, certificate, key);
    Files.setLastModifiedTime(certificate, FileTime.from(when));
    Files.setLastModifiedTime(key, FileTime.from(when));
  }

  private EdgeConfig given() {
    String toml =
        """
        [node]
        hostname = "mx.example.net"
        data = "data"
        [edge]
        certificate = "certificate.pem"
        private_key = "key.pem"
        """;
    return ConfigLoader.fromText(toml, directory).edge();
  }

  private EdgeConfig own() {
    String toml = "[node]\nhostname = \"mx.example.net\"\ndata = \"data\"\n";
    return ConfigLoader.fromText(toml, directory).edge();
  }

  private CertificateWatch watch(EdgeConfig config, InstantSource clock) {
    return new CertificateWatch(config, "mx.example.net", directory, clock, Duration.ZERO);
  }

  @Test
  void renewedFilesAreUsed() throws Exception {
    issue(NOW);
    CertificateWatch watch = watch(given(), InstantSource.fixed(NOW));
    SSLContext first = watch.get();
    assertSame(first, watch.get(), "control: nothing has changed");
    issue(NOW.plusSeconds(60));
    SSLContext second = watch.get();
    assertNotSame(first, second);
    assertSame(second, watch.get());
  }

  @Test
  void filesThatCannotBeUsedLeaveTheOldOneInForce() throws Exception {
    issue(NOW);
    CertificateWatch watch = watch(given(), InstantSource.fixed(NOW));
    SSLContext first = watch.get();
    Files.write(certificate, "half a certif".getBytes(StandardCharsets.US_ASCII));
    assertSame(first, watch.get());
    Files.delete(certificate);
    assertSame(first, watch.get());
    issue(NOW.plusSeconds(60));
    assertNotSame(first, watch.get());
  }

  @Test
  void ourOwnIsMadeAgainBeforeItExpires() {
    AtomicReference<Instant> time = new AtomicReference<>(NOW);
    CertificateWatch watch = watch(own(), time::get);
    SSLContext first = watch.get();
    time.set(NOW.plus(Duration.ofDays(1)));
    assertSame(first, watch.get(), "control: it is good for longer");
    time.set(NOW.plus(Duration.ofDays(20_000)));
    assertNotSame(first, watch.get());
  }
}
