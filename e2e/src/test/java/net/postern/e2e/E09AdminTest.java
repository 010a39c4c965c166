package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.junit.jupiter.api.Test;

/**
 * A day of an operator: customers, domains, users and routes are made beside a running node, held
 * mail is looked at, released and deleted, what became of a message is asked, and a report goes to
 * the sender of mail that the customer's server refuses.
 */
class E09AdminTest {
  private static final Pattern ID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");

  /** All in capitals: enough to be held at the thresholds that this test sets. */
  private static final String SUSPICIOUS = "URGENT: CONFIRM YOUR ACCOUNT NOW";

  @Test
  void heldMailIsShownReleasedAndDeleted() throws Exception {
    try (NodeProcess node = NodeProcess.empty("e09")) {
      node.start();
      Path mail = node.directory().resolve("mail");
      node.adminOk("customer", "add", "Office");
      node.adminOk("domain", "add", "office.example", "--customer", "Office");
      node.adminOk("user", "add", "ann@office.example");
      node.adminOk("user", "alias", "sales@office.example", "ann@office.example");
      node.adminOk("route", "maildir", "office.example", mail.toString());
      node.adminOk("customer", "policy", "Office", "--flag", "0.5", "--hold", "0.9");
      assertTrue(node.adminOk("customer", "list").contains("Office"));
      assertTrue(node.adminOk("domain", "list").contains("office.example"));
      assertTrue(node.adminOk("user", "list", "office.example").contains("ann@office.example"));

      String first = send(node, "sales@office.example", SUSPICIOUS);
      String second = send(node, "ann@office.example", SUSPICIOUS);
      Await.until(() -> held(node).contains(first) && held(node).contains(second));
      assertEquals(List.of(), maildir(mail), "nothing held is delivered");
      assertTrue(node.adminOk("quarantine", "show", first).contains(SUSPICIOUS));
      assertTrue(node.adminOk("trace", first).contains("held in quarantine"));

      node.adminOk("quarantine", "release", first);
      Await.until(() -> maildir(mail).size() == 1);
      assertTrue(Files.readString(maildir(mail).getFirst()).contains(SUSPICIOUS));
      Await.until(() -> trace(node, first).contains("delivered at"));
      assertTrue(trace(node, first).contains("released"), "the trace tells who let it out");

      node.adminOk("quarantine", "delete", second);
      assertTrue(trace(node, second).contains("removed at"));
      assertFalse(held(node).contains(second));

      // Controls: neither can be done twice, nor to what is not there.
      NodeProcess.Outcome again = node.admin("quarantine", "release", first);
      assertEquals(1, again.code());
      assertTrue(again.out().contains("is not held for anyone"), again.out());
      assertEquals(1, node.admin("quarantine", "show", first).code());
      assertEquals(2, node.admin("quarantine", "release", "nonsense").code());
      assertEquals(1, node.admin("user", "add", "ann@office.example").code());
      assertEquals(1, node.admin("user", "add", "ann@elsewhere.example").code());
      assertTrue(node.adminOk("ledger", "check").contains("balance: 0"));
    }
  }

  @Test
  void aRefusedMessageComesBackAsAReport() throws Exception {
    SmtpPeer.Script script =
        (stage, argument, connection) ->
            stage == SmtpPeer.Stage.RCPT && argument.contains("gone@")
                ? new SmtpPeer.Act.Say("550 5.1.1 left the company")
                : new SmtpPeer.Act.Accept();
    try (SmtpPeer server = SmtpPeer.start(script);
        SmtpPeer world = SmtpPeer.start(SmtpPeer.ACCEPTING);
        NodeProcess node = NodeProcess.fresh("e09")) {
      node.set("delivery", "smarthost", "\"127.0.0.1:" + world.port() + "\"");
      node.start();
      node.routeTo(server.port());
      String there = send(node, "here@" + NodeProcess.DOMAIN, "hello");
      Await.until(() -> server.received().size() == 1);
      String lost = send(node, "gone@" + NodeProcess.DOMAIN, "hello again");
      Await.until(() -> world.received().size() == 1);
      SmtpPeer.Received report = world.received().getFirst();
      assertEquals("", report.reversePath(), "a report has the null reverse-path");
      assertEquals(List.of("sender@client.example"), report.recipients());
      assertTrue(report.text().contains("multipart/report"), report.text());
      assertTrue(report.text().contains("left the company"), report.text());
      assertTrue(report.text().contains("Status: 5.1.1"), report.text());
      Await.until(() -> trace(node, lost).contains("returned to its sender"));
      assertTrue(trace(node, there).contains("delivered at"));
      Await.until(() -> check(node).contains("balance: 0"));
    }
  }

  /** Sends with Angus Mail; returns the id in the server's reply. */
  private static String send(NodeProcess node, String recipient, String subject)
      throws MessagingException {
    Properties properties = new Properties();
    properties.setProperty("mail.smtp.localhost", "client.example");
    Session session = Session.getInstance(properties);
    MimeMessage message = new MimeMessage(session);
    message.setFrom(new InternetAddress("sender@client.example"));
    message.setRecipient(Message.RecipientType.TO, new InternetAddress(recipient));
    message.setSubject(subject);
    message.setText("How are you?");
    message.saveChanges();
    properties.setProperty("mail.smtp.from", "sender@client.example");
    try (SMTPTransport transport = (SMTPTransport) session.getTransport("smtp")) {
      transport.connect(node.smtp().getAddress().getHostAddress(), node.smtp().getPort(), "", "");
      transport.sendMessage(message, message.getAllRecipients());
      Matcher id = ID.matcher(transport.getLastServerResponse());
      assertTrue(id.find(), transport.getLastServerResponse());
      return id.group();
    }
  }

  private static String held(NodeProcess node) {
    return out(node, "quarantine", "list");
  }

  private static String trace(NodeProcess node, String id) {
    return out(node, "trace", id);
  }

  private static String check(NodeProcess node) {
    return out(node, "ledger", "check");
  }

  private static String out(NodeProcess node, String... arguments) {
    try {
      return node.admin(arguments).out();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static List<Path> maildir(Path root) {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> file.toString().contains("/new/"))
          .toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
