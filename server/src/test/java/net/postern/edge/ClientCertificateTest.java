package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.source.Sources;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A customer's server that is known by its certificate. */
class ClientCertificateTest {
  @TempDir Path directory;

  /** A client that has a certificate and believes any server. */
  private record Client(SSLContext context, String fingerprint) {}

  private Client client() throws Exception {
    Path certificate = directory.resolve("relay.pem");
    Path key = directory.resolve("relay.key");
    SelfSignedCertificate.create(
        "relay.example", InstantSource.system().instant(), certificate, key);
    KeyStore store = ServerTls.store(certificate, key);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), new TrustManager[] {new Trusting()}, null);
    String fingerprint =
        HexFormat.of()
            .formatHex(
                MessageDigest.getInstance("SHA-256")
                    .digest(store.getCertificate("edge").getEncoded()));
    return new Client(context, fingerprint);
  }

  private static final class Trusting implements X509TrustManager {
    @Override
    public void checkClientTrusted(java.security.cert.X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(java.security.cert.X509Certificate[] chain, String type) {}

    @Override
    public java.security.cert.X509Certificate[] getAcceptedIssuers() {
      return new java.security.cert.X509Certificate[0];
    }
  }

  private static Dialogue secured(TestEdge edge, SSLContext context) throws Exception {
    Socket plain = new Socket(edge.address().getAddress(), edge.port());
    Dialogue first = new Dialogue(plain);
    first.expect("220");
    first.send("STARTTLS\r\n");
    first.expect("220");
    SSLSocket secure =
        (SSLSocket) context.getSocketFactory().createSocket(plain, TestEdge.HOSTNAME, 25, true);
    secure.startHandshake();
    Dialogue dialogue = new Dialogue(secure);
    dialogue.send("HELO relay.example\r\nMAIL FROM:<sales@example.org>\r\n");
    dialogue.expect("250");
    dialogue.expect("250");
    return dialogue;
  }

  /** A proxy has a certificate of its own: whom it speaks for has not. */
  @Test
  void aProxysCertificateIsNotTheClients() throws Exception {
    Client client = client();
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.tls = Optional.of(TestTls.server());
    settings.certificate = Optional.of(client.fingerprint());
    settings.xclients = List.of(Network.parse("127.0.0.1").orElseThrow());
    settings.world.zone("example.org MX 10 mx.example.org");
    try (TestEdge edge = new TestEdge(settings);
        Dialogue dialogue = secured(edge, client.context())) {
      // The control: for itself it may send.
      dialogue.send("RCPT TO:<someone@elsewhere.example>\r\nRSET\r\n");
      dialogue.expect("250 2.1.5");
      dialogue.expect("250");
      for (String whom : List.of("HELO=said.example", "ADDR=192.0.2.7")) {
        dialogue.send("XCLIENT " + whom + "\r\n");
        dialogue.expect("220");
        dialogue.send("HELO relay.example\r\nMAIL FROM:<sales@example.org>\r\n");
        dialogue.expect("250");
        dialogue.expect("250");
        dialogue.send("RCPT TO:<someone@elsewhere.example>\r\nRSET\r\n");
        dialogue.expect("550 5.7.1 Relaying denied");
        dialogue.expect("250");
      }
    }
  }

  /** A server of a customer's has old lists of recipients; nobody takes it for a harvester. */
  @Test
  void whoIsKnownByItIsNoHarvester() throws Exception {
    Client client = client();
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.tls = Optional.of(TestTls.server());
    settings.certificate = Optional.of(client.fingerprint());
    try (Database database = TestDatabase.open()) {
      settings.sources = Optional.of(sources(database));
      try (TestEdge edge = new TestEdge(settings)) {
        try (Dialogue dialogue = secured(edge, client.context())) {
          for (int i = 0; i < 12; i++) {
            dialogue.send("RCPT TO:<nobody" + i + "@example.org>\r\n");
            dialogue.expect("550 5.1.1");
          }
        }
        // The control: the same from a stranger.
        try (Dialogue dialogue = secured(edge, TestTls.client())) {
          String said = harvest(dialogue);
          assertTrue(said.startsWith("554 5.7.1 Your address"), said);
        }
      }
    }
  }

  private static Sources sources(Database database) {
    return TestEdge.sources(database, InstantSource.fixed(Instant.parse("2026-06-01T08:00:00Z")));
  }

  private static String harvest(Dialogue dialogue) throws Exception {
    String said = "";
    for (int i = 0; i < 12 && !said.startsWith("554"); i++) {
      dialogue.send("RCPT TO:<nobody" + i + "@example.org>\r\n");
      said = dialogue.line();
    }
    return said;
  }

  private static void again(Dialogue dialogue) throws Exception {
    dialogue.send("RSET\r\nMAIL FROM:<sales@example.org>\r\n");
    dialogue.expect("250");
    dialogue.expect("250");
  }

  /** What a certificate says of a client is asked at each message, not once at the handshake. */
  @Test
  void itCountsAsLongAsItIsRegistered() throws Exception {
    Client client = client();
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.tls = Optional.of(TestTls.server());
    settings.certificate = Optional.of(client.fingerprint());
    try (Database database = TestDatabase.open()) {
      settings.sources = Optional.of(sources(database));
      try (TestEdge edge = new TestEdge(settings)) {
        // At the handshake nobody could say whose it is.
        edge.accounts.away = true;
        try (Dialogue dialogue = secured(edge, client.context())) {
          edge.accounts.away = false;
          again(dialogue);
          assertTrue(harvest(dialogue).startsWith("550 5.1.1"), "as one of ours");
          edge.accounts.noCertificate(client.fingerprint());
          again(dialogue);
          String said = harvest(dialogue);
          assertTrue(said.startsWith("554 5.7.1 Your address"), said);
        }
      }
    }
  }

  private static TestEdge edge(Optional<String> certificate) {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.tls = Optional.of(TestTls.server());
    settings.certificate = certificate;
    return new TestEdge(settings);
  }

  /** What the server says to a recipient elsewhere. */
  private static String relay(TestEdge edge, SSLContext context, String version) throws Exception {
    Socket plain = new Socket(edge.address().getAddress(), edge.port());
    try (Dialogue first = new Dialogue(plain)) {
      first.expect("220");
      first.send("STARTTLS\r\n");
      first.expect("220");
      SSLSocket secure =
          (SSLSocket) context.getSocketFactory().createSocket(plain, TestEdge.HOSTNAME, 25, true);
      secure.setEnabledProtocols(new String[] {version});
      secure.startHandshake();
      try (Dialogue dialogue = new Dialogue(secure)) {
        dialogue.send("HELO relay.example\r\nMAIL FROM:<sales@example.org>\r\n");
        dialogue.expect("250");
        dialogue.expect("250");
        dialogue.send("RCPT TO:<someone@elsewhere.example>\r\n");
        return dialogue.line();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
  void isKnownByIt(String version) throws Exception {
    Client client = client();
    try (TestEdge edge = edge(Optional.of(client.fingerprint()))) {
      String said = relay(edge, client.context(), version);
      assertTrue(said.startsWith("250 2.1.5"), said);
      // The control: without a certificate TLS works too, and nobody is known.
      said = relay(edge, TestTls.client(), version);
      assertTrue(said.startsWith("550 5.7.1 Relaying denied"), said);
    }
  }

  @Test
  void anotherCertificateIsNobodys() throws Exception {
    Client client = client();
    try (TestEdge edge = edge(Optional.of("ab".repeat(32)))) {
      String said = relay(edge, client.context(), "TLSv1.3");
      assertTrue(said.startsWith("550 5.7.1"), said);
      assertEquals(1, edge.refusals().size());
    }
    try (TestEdge edge = edge(Optional.empty())) {
      assertFalse(edge.accounts.asksForCertificates());
      String said = relay(edge, client.context(), "TLSv1.3");
      assertTrue(said.startsWith("550 5.7.1"), said);
    }
  }
}
