package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerTlsTest {
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  @TempDir Path data;

  private Path certificate() {
    return data.resolve("edge-certificate.pem");
  }

  private Path key() {
    return data.resolve("edge-private-key.pem");
  }

  private byte[] make(String hostname, Instant now) throws Exception {
    ServerTls.context(new TestEdge.Settings().config(), hostname, data, now);
    return Files.readAllBytes(certificate());
  }

  @Test
  void aCertificateIsMadeOnceAndForTheOwnerOnly() throws Exception {
    byte[] first = make("mx.test", NOW);
    assertArrayEquals(first, make("mx.test", NOW));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(key())));
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(certificate())));
  }

  @Test
  void anotherNameOrAnExpiredCertificateMakesANewOne() throws Exception {
    byte[] first = make("mx.test", NOW);
    byte[] other = make("mx2.test", NOW);
    assertFalse(Arrays.equals(first, other));
    assertFalse(Arrays.equals(other, make("mx2.test", NOW.plus(Duration.ofDays(4000)))));
  }

  @Test
  void filesThatCannotBeUsedAreSaidInWords() throws Exception {
    Path missing = data.resolve("missing.pem");
    make("mx.test", NOW);
    assertMessage("the certificate file " + missing + " does not exist", missing, key());
    assertMessage("the private key file " + missing + " does not exist", certificate(), missing);
    Path text = Files.writeString(data.resolve("text.pem"), "no PEM at all\n");
    assertMessage("there is no certificate in " + text, text, key());
    assertMessage("there is no private key in " + text, certificate(), text);
    assertMessage("there is no certificate in " + key(), key(), key());
    Path otherCertificate = data.resolve("other.pem");
    Path otherKey = data.resolve("other-key.pem");
    SelfSignedCertificate.create("mx.test", NOW, otherCertificate, otherKey);
    assertMessage("is not that of the first certificate", certificate(), otherKey);
    Path broken =
        Files.writeString(
            data.resolve("broken.pem"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assertMessage("cannot read the certificate " + broken, broken, key());
  }

  private static void assertMessage(String part, Path certificate, Path key) {
    TlsException e = assertThrows(TlsException.class, () -> ServerTls.load(certificate, key));
    assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage());
  }
}
