package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Message;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import net.postern.config.Network;
import net.postern.testkit.Await;
import net.postern.testkit.Ports;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users' programs and proxies that others wrote: swaks, Angus Mail, gsasl, OpenSSL, HAProxy. */
class ForeignSubmissionTest {
  private static final List<Network> HERE = List.of(Network.parse("127.0.0.1").orElseThrow());

  private static TestEdge.Settings settings() {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.tls = Optional.of(TestTls.server());
    // Strangers' domains have to exist.
    settings.world.zone("example.com MX 10 mx.example.com");
    settings.world.zone("example.org MX 10 mx.example.org");
    return settings;
  }

  private record Ran(int exit, String output) {}

  private static Path program(String path, String packages) {
    boolean there = Files.isExecutable(Path.of(path));
    if ("true".equals(System.getenv("CI"))) {
      assertTrue(there, path + " is missing: apt-get install " + packages);
    }
    assumeTrue(there, path + " is not installed (apt-get install " + packages + ")");
    return Path.of(path);
  }

  private static Ran run(String input, List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    }
    String output;
    try (InputStream out = process.getInputStream()) {
      output = new String(out.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it does not end");
    return new Ran(process.exitValue(), output);
  }

  private static Ran swaks(int port, String... options) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                program("/usr/bin/swaks", "swaks libio-socket-ssl-perl").toString(),
                "--server",
                "127.0.0.1",
                "--port",
                String.valueOf(port),
                "--ehlo",
                "laptop.example",
                "--from",
                "anna@example.org",
                "--to",
                "someone@elsewhere.example",
                "--timeout",
                "20"));
    command.addAll(List.of(options));
    return run("", command);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PLAIN", "LOGIN"})
  void swaksLogsIn(String mechanism) throws Exception {
    try (TestEdge edge = new TestEdge(settings())) {
      String[] login = {
        "--auth", mechanism, "--auth-user", "anna@example.org", "--auth-password", TestEdge.PASSWORD
      };
      List<String> starttls = new ArrayList<>(List.of(login));
      starttls.add("--tls");
      Ran ran = swaks(edge.port("submission"), starttls.toArray(String[]::new));
      assertEquals(0, ran.exit(), ran.output());
      assertEquals("ESMTPSA", edge.taken.remove().envelope().protocol());
      List<String> implicit = new ArrayList<>(List.of(login));
      implicit.add("--tls-on-connect");
      ran = swaks(edge.port("submissions"), implicit.toArray(String[]::new));
      assertEquals(0, ran.exit(), ran.output());
      assertEquals(
          "anna@example.org", edge.taken.remove().envelope().submitter().orElseThrow().name());

      // The control: swaks ends with 28 when it may not log in.
      login[5] = "wrong horse";
      List<String> wrong = new ArrayList<>(List.of(login));
      wrong.add("--tls");
      ran = swaks(edge.port("submission"), wrong.toArray(String[]::new));
      assertEquals(28, ran.exit(), ran.output());
      assertTrue(ran.output().contains("535 5.7.8"), ran.output());
      assertEquals(0, edge.taken.size());
    }
  }

  private static void angus(TestEdge edge, String mechanism, String password) throws Exception {
    Properties properties = new Properties();
    properties.put("mail.smtp.host", "127.0.0.1");
    properties.put("mail.smtp.port", String.valueOf(edge.port("submission")));
    properties.put("mail.smtp.localhost", "laptop.example");
    properties.put("mail.smtp.auth", "true");
    properties.put("mail.smtp.auth.mechanisms", mechanism);
    properties.put("mail.smtp.timeout", "20000");
    properties.put("mail.smtp.starttls.required", "true");
    properties.put("mail.smtp.starttls.enable", "true");
    properties.put("mail.smtp.ssl.socketFactory", TestTls.client().getSocketFactory());
    properties.put("mail.smtp.ssl.checkserveridentity", "false");
    Session session = Session.getInstance(properties);
    MimeMessage message = new MimeMessage(session);
    message.setFrom(new InternetAddress("anna@example.org"));
    message.addRecipient(
        Message.RecipientType.TO, new InternetAddress("someone@elsewhere.example"));
    message.setSubject("hello");
    message.setText("text");
    Transport.send(message, "anna@example.org", password);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PLAIN", "LOGIN"})
  void angusLogsIn(String mechanism) throws Exception {
    try (TestEdge edge = new TestEdge(settings())) {
      angus(edge, mechanism, TestEdge.PASSWORD);
      assertEquals("ESMTPSA", edge.taken.remove().envelope().protocol());
      assertThrows(
          AuthenticationFailedException.class, () -> angus(edge, mechanism, "wrong horse"));
      assertEquals(0, edge.taken.size());
    }
  }

  private static Ran gsasl(TestEdge edge, String mechanism, String password) throws Exception {
    return run(
        "",
        List.of(
            program("/usr/bin/gsasl", "gsasl").toString(),
            "--client",
            "--smtp",
            "--connect=127.0.0.1:" + edge.port("submission"),
            "--mechanism=" + mechanism,
            "--authentication-id=anna@example.org",
            "--authorization-id=",
            "--password=" + password,
            "--no-starttls",
            "--no-cb"));
  }

  /** The proof of a program that shares no line with ours. */
  @Test
  void gsaslProvesThatItKnowsThePassword() throws Exception {
    TestEdge.Settings settings = settings();
    settings.plainOnLoopback = true;
    try (TestEdge edge = new TestEdge(settings)) {
      Ran right = gsasl(edge, "SCRAM-SHA-256", TestEdge.PASSWORD);
      assertTrue(right.output().contains("235 2.7.0"), right.output());
      assertFalse(right.output().contains(TestEdge.PASSWORD), "it was sent");
      Ran wrong = gsasl(edge, "SCRAM-SHA-256", "wrong horse");
      assertTrue(wrong.output().contains("535 5.7.8"), wrong.output());
    }
  }

  @Test
  void opensslSpeaksTlsFromTheFirstByte() throws Exception {
    Path openssl = program("/usr/bin/openssl", "openssl");
    try (TestEdge edge = new TestEdge(settings())) {
      for (String version : List.of("-tls1_3", "-tls1_2")) {
        Ran ran =
            run(
                "QUIT\r\n",
                List.of(
                    openssl.toString(),
                    "s_client",
                    "-quiet",
                    "-connect",
                    "127.0.0.1:" + edge.port("submissions"),
                    version));
        assertTrue(ran.output().contains("220 mx.test ESMTP"), ran.output());
      }
      for (List<String> old :
          List.of(
              List.of("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"),
              List.of("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256"))) {
        List<String> command =
            new ArrayList<>(
                List.of(
                    openssl.toString(),
                    "s_client",
                    "-quiet",
                    "-connect",
                    "127.0.0.1:" + edge.port("submissions")));
        command.addAll(old);
        Ran ran = run("QUIT\r\n", command);
        assertNotEquals(0, ran.exit(), old.toString());
        assertFalse(ran.output().contains("220 mx.test"), ran.output());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2"})
  void swaksIsAProxy(String version) throws Exception {
    TestEdge.Settings settings = settings();
    settings.proxies = HERE;
    try (TestEdge edge = new TestEdge(settings)) {
      Ran ran =
          swaks(
              edge.port(),
              "--to",
              "anna@example.org",
              "--proxy-version",
              version,
              "--proxy-family",
              version.equals("1") ? "TCP4" : "AF_INET",
              "--proxy-source",
              "192.0.2.7",
              "--proxy-source-port",
              "4711",
              "--proxy-dest",
              "192.0.2.1",
              "--proxy-dest-port",
              "25",
              "--proxy-protocol",
              "STREAM",
              "--proxy-command",
              "PROXY");
      assertEquals(0, ran.exit(), ran.output());
      assertEquals("192.0.2.7", edge.taken.remove().envelope().client().getHostAddress());
    }
  }

  @Test
  void swaksStandsForAnother() throws Exception {
    TestEdge.Settings settings = settings();
    settings.xclients = HERE;
    try (TestEdge edge = new TestEdge(settings)) {
      Ran ran =
          swaks(
              edge.port(),
              "--to",
              "anna@example.org",
              "--xclient-addr",
              "192.0.2.7",
              "--xclient-name",
              "client.example",
              "--xclient-helo",
              "said.example");
      assertEquals(0, ran.exit(), ran.output());
      var envelope = edge.taken.remove().envelope();
      assertEquals("192.0.2.7", envelope.client().getHostAddress());
      assertEquals("client.example", envelope.clientName());
      assertEquals("said.example", envelope.helo());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"send-proxy", "send-proxy-v2"})
  void haproxyPassesOn(String how, @TempDir Path directory) throws Exception {
    Path haproxy = program("/usr/sbin/haproxy", "haproxy");
    TestEdge.Settings settings = settings();
    settings.proxies = HERE;
    int port = Ports.free();
    try (TestEdge edge = new TestEdge(settings)) {
      Path file = directory.resolve("haproxy.cfg");
      Files.writeString(
          file,
          """
          defaults
            mode tcp
            timeout connect 5s
            timeout client 20s
            timeout server 20s
          listen mail
            bind 127.0.0.1:%d
            source 127.0.0.1
            server mx1 127.0.0.1:%d %s
          """
              .formatted(port, edge.port(), how));
      Process process =
          new ProcessBuilder(haproxy.toString(), "-db", "-f", file.toString())
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("log").toFile())
              .start();
      try {
        Await.until(() -> swaksOnce(port));
      } finally {
        process.destroy();
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
      }
      assertEquals("127.0.0.1", edge.taken.remove().envelope().client().getHostAddress());
      // The control: who comes past the proxy gets nothing.
      assertNotEquals(0, swaks(edge.port(), "--to", "anna@example.org").exit());
    }
  }

  private static boolean swaksOnce(int port) {
    try {
      return swaks(port, "--to", "anna@example.org").exit() == 0;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
