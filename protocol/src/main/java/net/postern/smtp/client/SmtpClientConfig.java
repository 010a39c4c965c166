package net.postern.smtp.client;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * How connections are made.
 *
 * @param hostname our name for EHLO (RFC 5321 §4.1.1.1)
 * @param connectTimeout for the TCP connection
 * @param replyTimeout for each reply and each block of data (RFC 5321 §4.5.3.2)
 * @param endOfDataTimeout for the reply to the end of the message (RFC 5321 §4.5.3.2.6)
 * @param verifying trust for {@link TlsMode#VERIFIED}
 */
public record SmtpClientConfig(
    String hostname,
    Duration connectTimeout,
    Duration replyTimeout,
    Duration endOfDataTimeout,
    SSLContext verifying) {

  /** With the certificate authorities of the Java runtime. */
  public static SmtpClientConfig of(
      String hostname, Duration connectTimeout, Duration replyTimeout) {
    return new SmtpClientConfig(
        hostname, connectTimeout, replyTimeout, replyTimeout.multipliedBy(5), systemTrust());
  }

  private static SSLContext systemTrust() {
    try {
      return SSLContext.getDefault();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no TLS", e);
    }
  }

  /**
   * A context that takes every certificate. Encryption without authentication still defeats those
   * who only listen, and is what RFC 7435 asks for where the alternative is plain text.
   */
  static SSLContext unauthenticated() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new TakesAll()}, new SecureRandom());
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no TLS", e);
    }
  }

  private static final class TakesAll extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkClientTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

    @Override
    public void checkServerTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
