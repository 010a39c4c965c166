package net.postern.edge;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What identifies a TLS connection, or the client at its other end. */
final class TlsBinding {
  private static final Logger LOG = LoggerFactory.getLogger(TlsBinding.class);

  // RFC 9266 §2.
  private static final String EXPORTER = "EXPORTER-Channel-Binding";
  private static final int EXPORTED = 32;

  private TlsBinding() {}

  /**
   * The channel bindings that can be had: {@code tls-exporter} (RFC 9266), with TLS 1.3 alone, for
   * with TLS 1.2 it is unique only where both ends have the extended master secret (RFC 9266 §4.2),
   * which Java does not tell; {@code tls-server-end-point} (RFC 5929 §4) with either.
   */
  static Map<String, byte[]> of(SSLSession session) {
    Map<String, byte[]> bindings = new HashMap<>();
    try {
      if (session.getProtocol().equals("TLSv1.3")
          && session instanceof ExtendedSSLSession extended) {
        bindings.put(
            "tls-exporter", extended.exportKeyingMaterialData(EXPORTER, new byte[0], EXPORTED));
      }
      Certificate[] own = session.getLocalCertificates();
      if (own != null && own.length > 0 && own[0] instanceof X509Certificate certificate) {
        bindings.put(
            "tls-server-end-point",
            MessageDigest.getInstance(digest(certificate.getSigAlgName()))
                .digest(certificate.getEncoded()));
      }
    } catch (SSLException | GeneralSecurityException | UnsupportedOperationException e) {
      LOG.debug("no channel binding: {}", e.toString());
    }
    return Map.copyOf(bindings);
  }

  // RFC 5929 §4.1: the hash of the signature, but SHA-256 in place of MD5 and SHA-1.
  private static String digest(String signature) {
    String name = signature.toUpperCase(Locale.ROOT);
    return name.startsWith("SHA384")
        ? "SHA-384"
        : name.startsWith("SHA512") ? "SHA-512" : "SHA-256";
  }

  /** SHA-256 of the client's certificate, hexadecimal; empty when it showed none. */
  static String clientCertificate(SSLSession session) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(session.getPeerCertificates()[0].getEncoded()));
    } catch (SSLPeerUnverifiedException e) {
      return "";
    } catch (GeneralSecurityException e) {
      LOG.debug("a client's certificate cannot be read: {}", e.toString());
      return "";
    }
  }
}
