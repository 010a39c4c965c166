package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jakarta.mail.Message;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that others wrote: swaks and Angus Mail. */
class ForeignClientsTest {
  private static final Path SWAKS = Path.of("/usr/bin/swaks");

  private static TestEdge edge() {
    var settings = new TestEdge.Settings();
    settings.tls = Optional.of(TestTls.server());
    return new TestEdge(settings);
  }

  private record Ran(int exit, String output) {}

  private static Ran swaks(TestEdge edge, String... options) throws Exception {
    boolean there = Files.isExecutable(SWAKS);
    if ("true".equals(System.getenv("CI"))) {
      assertTrue(there, "swaks is missing: apt-get install swaks libio-socket-ssl-perl");
    }
    assumeTrue(there, "swaks is not installed (apt-get install swaks): this test says nothing");
    List<String> command =
        new ArrayList<>(
            List.of(
                SWAKS.toString(),
                "--server",
                "127.0.0.1",
                "--port",
                String.valueOf(edge.port()),
                "--ehlo",
                "client.example",
                "--from",
                "sender@example.com",
                "--timeout",
                "20"));
    command.addAll(List.of(options));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    return new Ran(process.exitValue(), output);
  }

  @Test
  void swaksDelivers() throws Exception {
    try (TestEdge edge = edge()) {
      Ran ran = swaks(edge, "--to", "anna@example.org", "--body", "first\n.\n..second");
      assertEquals(0, ran.exit(), ran.output());
      TestEdge.Taken taken = edge.taken.remove();
      assertTrue(taken.text().contains("\r\n\r\nfirst\r\n.\r\n..second\r\n"), taken.text());
      assertEquals("ESMTP", taken.envelope().protocol());
      assertEquals("client.example", taken.envelope().helo());
      assertEquals("", taken.envelope().tls());
    }
  }

  @Test
  void swaksDeliversWithTls() throws Exception {
    try (TestEdge edge = edge()) {
      Ran ran = swaks(edge, "--to", "anna@example.org", "--tls");
      assertEquals(0, ran.exit(), ran.output());
      TestEdge.Taken taken = edge.taken.remove();
      assertEquals("ESMTPS", taken.envelope().protocol());
      assertTrue(taken.envelope().tls().startsWith("TLSv1.3 "), taken.envelope().tls());
    }
  }

  @Test
  void swaksDeliversPipelined() throws Exception {
    try (TestEdge edge = edge()) {
      Ran ran = swaks(edge, "--to", "anna@example.org,user1@example.org", "--pipeline");
      assertEquals(0, ran.exit(), ran.output());
      assertEquals(2, edge.taken.remove().envelope().recipients().size());
    }
  }

  @Test
  void swaksIsToldOfUnknownUsersAndRelaying() throws Exception {
    try (TestEdge edge = edge()) {
      // swaks ends with 24 when no recipient was taken.
      Ran unknown = swaks(edge, "--to", "nobody@example.org");
      assertEquals(24, unknown.exit(), unknown.output());
      assertTrue(unknown.output().contains("550 5.1.1"), unknown.output());
      Ran relay = swaks(edge, "--to", "someone@elsewhere.example");
      assertEquals(24, relay.exit(), relay.output());
      assertTrue(relay.output().contains("550 5.7.1"), relay.output());
      assertEquals(0, edge.taken.size());
    }
  }

  private static Session session(TestEdge edge, boolean tls) {
    Properties properties = new Properties();
    properties.put("mail.smtp.host", "127.0.0.1");
    properties.put("mail.smtp.port", String.valueOf(edge.port()));
    properties.put("mail.smtp.localhost", "client.example");
    properties.put("mail.smtp.from", "sender@example.com");
    properties.put("mail.smtp.timeout", "20000");
    properties.put("mail.smtp.connectiontimeout", "20000");
    properties.put("mail.mime.allowutf8", "true");
    if (tls) {
      properties.put("mail.smtp.starttls.enable", "true");
      properties.put("mail.smtp.starttls.required", "true");
      properties.put("mail.smtp.ssl.socketFactory", TestTls.client().getSocketFactory());
      properties.put("mail.smtp.ssl.checkserveridentity", "false");
    }
    return Session.getInstance(properties);
  }

  private static Message message(Session session, String... recipients) throws Exception {
    MimeMessage message = new MimeMessage(session);
    message.setFrom(new InternetAddress("sender@example.com"));
    for (String recipient : recipients) {
      message.addRecipient(Message.RecipientType.TO, new InternetAddress(recipient));
    }
    message.setSubject("Grüße", "UTF-8");
    message.setText("one\r\n.\r\n.two\r\n", "UTF-8");
    return message;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void angusDelivers(boolean tls) throws Exception {
    try (TestEdge edge = edge()) {
      Transport.send(message(session(edge, tls), "anna@example.org", "user1@example.org"));
      TestEdge.Taken taken = edge.taken.remove();
      assertTrue(taken.text().contains("\r\n\r\none\r\n.\r\n.two\r\n"), taken.text());
      assertEquals(2, taken.envelope().recipients().size());
      assertEquals(tls, !taken.envelope().tls().isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void angusIsToldOfUnknownUsers(boolean tls) throws Exception {
    try (TestEdge edge = edge()) {
      Message message = message(session(edge, tls), "nobody@example.org");
      SendFailedException e =
          assertThrows(SendFailedException.class, () -> Transport.send(message));
      assertTrue(String.valueOf(e.getNextException()).contains("550 5.1.1"), e.toString());
      assertEquals(0, edge.taken.size());
    }
  }
}
