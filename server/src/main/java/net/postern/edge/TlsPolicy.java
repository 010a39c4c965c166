package net.postern.edge;

import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** What of TLS is spoken. */
final class TlsPolicy {
  private TlsPolicy() {}

  /**
   * Sets up the server's side of a connection: TLS 1.3 and 1.2 (RFC 8996: nothing older), our order
   * of ciphers. Users' programs get those alone that are forward secret and authenticated (RFC 9325
   * §4.2); other servers, which would otherwise send in the clear, whatever Java still holds for
   * safe.
   *
   * @param askForCertificate whether the client is asked for one; it need not have one
   */
  static void apply(SSLSocket socket, Service service, boolean askForCertificate) {
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    parameters.setUseCipherSuitesOrder(true);
    if (service.submission()) {
      List<String> modern =
          Arrays.stream(parameters.getCipherSuites()).filter(TlsPolicy::isModern).toList();
      parameters.setCipherSuites(modern.toArray(String[]::new));
    }
    if (askForCertificate) {
      parameters.setWantClientAuth(true);
    }
    socket.setSSLParameters(parameters);
  }

  private static boolean isModern(String suite) {
    boolean sealed = suite.contains("_GCM_") || suite.contains("_CHACHA20_");
    boolean version13 = !suite.contains("_WITH_");
    return version13 || (sealed && suite.startsWith("TLS_ECDHE_"));
  }
}
