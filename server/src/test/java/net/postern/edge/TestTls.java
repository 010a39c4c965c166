package net.postern.edge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.InstantSource;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A server's TLS with a certificate of its own making, and a client's that trusts just that one.
 */
@SuppressWarnings("TimeInStaticInitializer")
final class TestTls {
  private static final SSLContext SERVER;
  private static final SSLContext CLIENT;

  static {
    try {
      Path directory = Files.createTempDirectory("edge-tls");
      Path certificate = directory.resolve("certificate.pem");
      Path key = directory.resolve("key.pem");
      try {
        SelfSignedCertificate.create(
            TestEdge.HOSTNAME, InstantSource.system().instant(), certificate, key);
        SERVER = ServerTls.load(certificate, key);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, new char[0]);
        try (var in = Files.newInputStream(certificate)) {
          trusted.setCertificateEntry(
              "edge", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory managers =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        CLIENT = SSLContext.getInstance("TLS");
        CLIENT.init(null, managers.getTrustManagers(), null);
      } finally {
        Files.deleteIfExists(certificate);
        Files.deleteIfExists(key);
        Files.deleteIfExists(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private TestTls() {}

  static SSLContext server() {
    return SERVER;
  }

  static SSLContext client() {
    return CLIENT;
  }
}
