package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import net.postern.config.ConfigLoader;
import net.postern.config.EdgeConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which of several certificates a client is shown. */
class ServerNamesTest {
  private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

  @TempDir Path directory;

  @BeforeEach
  void issue() throws Exception {
    for (String name : List.of("default.example", "mail.example.org", "example.net")) {
      issue(name, name, NOW);
    }
  }

  private void issue(String file, String name, Instant when) throws Exception {
    Path certificate = directory.resolve(file + ".pem");
    Path key = directory.resolve(file + ".key");
    Files.deleteIfExists(certificate);
    Files.deleteIfExists(key);
    SelfSignedCertificate.create(name, when, certificate, key);
    Files.setLastModifiedTime(certificate, FileTime.from(when));
  }

  private EdgeConfig config(String first) {
    return ConfigLoader.fromText(
            """
        [node]
        hostname = "mx.example.net"
        data = "data"
        [edge]
        %s
        [[edge.tls]]
        certificate = "mail.example.org.pem"
        private_key = "mail.example.org.key"
        [[edge.tls]]
        certificate = "example.net.pem"
        private_key = "example.net.key"
        hosts = ["example.net", "*.example.net"]
        """
                .formatted(first),
            directory)
        .edge();
  }

  private static final String DEFAULT =
      "certificate = \"default.example.pem\"\nprivate_key = \"default.example.key\"\n";

  private static final class Any implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  /** Whom the certificate names that a client is shown who asks for this name. */
  private static String shown(SSLContext server, Optional<String> name, String version)
      throws Exception {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.tls = Optional.of(server);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Any()}, null);
    try (TestEdge edge = new TestEdge(settings);
        Socket plain = new Socket(edge.address().getAddress(), edge.port("submissions"));
        SSLSocket secure =
            (SSLSocket) context.getSocketFactory().createSocket(plain, null, 465, true)) {
      SSLParameters parameters = secure.getSSLParameters();
      parameters.setProtocols(new String[] {version});
      name.ifPresent(each -> parameters.setServerNames(List.of(new SNIHostName(each))));
      secure.setSSLParameters(parameters);
      secure.startHandshake();
      X509Certificate first = (X509Certificate) secure.getSession().getPeerCertificates()[0];
      return first.getSubjectX500Principal().getName();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
  void theNameDecides(String version) throws Exception {
    SSLContext server = ServerTls.context(config(DEFAULT), "mx.example.net", directory, NOW);
    assertEquals("CN=default.example", shown(server, Optional.empty(), version));
    assertEquals("CN=default.example", shown(server, Optional.of("unknown.example"), version));
    assertEquals("CN=mail.example.org", shown(server, Optional.of("MAIL.example.org"), version));
    assertEquals("CN=example.net", shown(server, Optional.of("mx.example.net"), version));
    assertEquals("CN=example.net", shown(server, Optional.of("example.net"), version));
    // RFC 9525 §6.3: a wildcard stands for one label.
    assertEquals("CN=default.example", shown(server, Optional.of("a.b.example.net"), version));
  }

  @Test
  void withoutADefaultTheFirstOfTheListIsIt() throws Exception {
    SSLContext server = ServerTls.context(config(""), "mx.example.net", directory, NOW);
    assertEquals("CN=mail.example.org", shown(server, Optional.empty(), "TLSv1.3"));
    assertEquals("CN=example.net", shown(server, Optional.of("example.net"), "TLSv1.3"));
  }

  @Test
  void aRenewedOneOfTheListIsUsed() throws Exception {
    CertificateWatch watch =
        new CertificateWatch(
            config(DEFAULT), "mx.example.net", directory, InstantSource.fixed(NOW), Duration.ZERO);
    Optional<String> name = Optional.of("example.net");
    assertEquals("CN=example.net", shown(watch.get(), name, "TLSv1.3"));
    issue("example.net", "renewed.example", NOW.plusSeconds(60));
    assertEquals("CN=renewed.example", shown(watch.get(), name, "TLSv1.3"));
    assertEquals("CN=default.example", shown(watch.get(), Optional.empty(), "TLSv1.3"));
  }

  @Test
  void oneThatCannotBeUsedDoesNotKeepBackTheOthers() throws Exception {
    CertificateWatch watch =
        new CertificateWatch(
            config(DEFAULT), "mx.example.net", directory, InstantSource.fixed(NOW), Duration.ZERO);
    Files.delete(directory.resolve("mail.example.org.key"));
    Files.writeString(directory.resolve("default.example.pem"), "half a certif");
    issue("example.net", "renewed.example", NOW.plusSeconds(60));
    assertEquals("CN=renewed.example", shown(watch.get(), Optional.of("example.net"), "TLSv1.3"));
    // The control: these stay as they were.
    assertEquals(
        "CN=mail.example.org", shown(watch.get(), Optional.of("mail.example.org"), "TLSv1.3"));
    assertEquals("CN=default.example", shown(watch.get(), Optional.empty(), "TLSv1.3"));
    // Once they can be used they are.
    issue("mail.example.org", "again.example", NOW.plusSeconds(60));
    assertEquals("CN=again.example", shown(watch.get(), Optional.of("again.example"), "TLSv1.3"));
  }
}
