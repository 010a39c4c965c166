package net.postern.edge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.time.InstantSource;
import java.util.HexFormat;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A server's TLS with a certificate of its own making, and a client's that trusts just that one.
 */
@SuppressWarnings("TimeInStaticInitializer")
final class TestTls {
  private static final SSLContext SERVER;
  private static final SSLContext CLIENT;
  private static final SSLContext RELAY;
  private static final String RELAY_FINGERPRINT;

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
        Files.delete(certificate);
        Files.delete(key);
        SelfSignedCertificate.create(
            "relay.example", InstantSource.system().instant(), certificate, key);
        KeyStore own = ServerTls.store(certificate, key);
        KeyManagerFactory keys =
            KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        RELAY = SSLContext.getInstance("TLS");
        RELAY.init(keys.getKeyManagers(), managers.getTrustManagers(), null);
        RELAY_FINGERPRINT =
            HexFormat.of()
                .formatHex(
                    MessageDigest.getInstance("SHA-256")
                        .digest(own.getCertificate("edge").getEncoded()));
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

  /** The client with a certificate of its own. */
  static SSLContext relay() {
    return RELAY;
  }

  /** SHA-256 of that certificate, as a customer registers it. */
  static String relayFingerprint() {
    return RELAY_FINGERPRINT;
  }
}
