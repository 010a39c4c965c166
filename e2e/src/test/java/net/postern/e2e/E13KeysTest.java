package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.testkit.Await;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.junit.jupiter.api.Test;

/**
 * The life of keys: the master key is changed while mail flows, with the new one given by a
 * program, and afterwards the old one is worth nothing; a mailbox is erased beside a running node,
 * and what only it held is gone from every store.
 */
class E13KeysTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Pattern ID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final Pattern MAILBOX = Pattern.compile("mailbox\\s+([0-9a-f-]{36}) of");

  /** All in capitals: enough to be held at the thresholds that this test sets. */
  private static final String SUSPICIOUS = "URGENT: CONFIRM YOUR ACCOUNT NOW";

  @Test
  void theMasterKeyIsChangedWhileMailFlows() throws Exception {
    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e13-rotate")) {
      Path old = node.data().resolve("master.key");
      Path fresh = node.directory().resolve("fresh.key");
      byte[] key = new byte[32];
      new SecureRandom().nextBytes(key);
      Files.writeString(fresh, HexFormat.of().formatHex(key) + "\n");
      node.start();
      node.routeTo(sink.port());
      office(node);
      String held = send(node, SUSPICIOUS, "ann@office.example");
      Await.until(() -> admin(node, "quarantine", "list").out().contains(held));
      assertEquals(0, node.stop(PATIENCE));

      node.set("vault", "master_key", "\"command:/bin/cat " + fresh + "\"");
      node.set("vault", "previous_master_keys", "[\"" + old + "\"]");
      node.start();
      MailLoad.Plan plan =
          new MailLoad.Plan(4, 100_000, 4_000, "user@" + NodeProcess.DOMAIN)
              .pausing(Duration.ofMillis(20));
      int acknowledged;
      try (MailLoad load = MailLoad.start(node::smtp, plan)) {
        untilMore(load, 100);
        NodeProcess.Outcome rotated = vault(node, "rotate-master");
        assertEquals(0, rotated.code(), rotated.out());
        // Two customers, and the system's key where one was made.
        assertTrue(
            Pattern.compile(" [23] of them were re-wrapped now").matcher(rotated.out()).find(),
            rotated.out());
        assertTrue(rotated.out().contains("Nothing needs a previous master key"), rotated.out());
        NodeProcess.Outcome again = vault(node, "rotate-master");
        assertEquals(0, again.code(), again.out());
        assertTrue(again.out().contains(" 0 of them were re-wrapped"), again.out());
        untilMore(load, 100);
        load.stop(PATIENCE);
        assertEquals(Map.of(), load.refusals());
        acknowledged = load.acknowledged();
      }
      assertTrue(show(node, held).out().contains(SUSPICIOUS));
      assertEquals(0, node.stop(PATIENCE));

      // The old key is destroyed; what was accepted before and meanwhile is read with the new one.
      Path thief = Files.move(old, node.directory().resolve("stolen.key"));
      node.unset("vault", "previous_master_keys");
      node.start();
      assertTrue(show(node, held).out().contains(SUSPICIOUS));
      Await.until(PATIENCE, () -> sink.distinct() >= acknowledged);
      send(node, "hello", "ann@office.example");
      assertTrue(E02CrashTest.untilNothingWaits(node).contains("balance: 0"));

      // The control: who has the old key and everything else reads nothing.
      node.set("vault", "master_key", "\"" + thief + "\"");
      NodeProcess.Outcome stolen = show(node, held);
      assertNotEquals(0, stolen.code());
      assertFalse(stolen.out().contains(SUSPICIOUS), stolen.out());
    }
  }

  @Test
  void aProgramThatGivesNoKeyEndsTheStart() throws Exception {
    try (NodeProcess node = NodeProcess.fresh("e13-command")) {
      node.set("vault", "master_key", "\"command:/bin/ls /none/such\"");
      NodeProcess.Outcome outcome = node.startAndEnd();
      assertEquals(78, outcome.code(), outcome.out());
      assertTrue(outcome.out().contains("program for the master key, /bin/ls"), outcome.out());
      assertTrue(outcome.out().contains("/none/such"), "what it complained: " + outcome.out());
      node.set("vault", "master_key", "\"env:POSTERN_E13_NOT_SET\"");
      outcome = node.startAndEnd();
      assertEquals(78, outcome.code(), outcome.out());
      assertTrue(outcome.out().contains("POSTERN_E13_NOT_SET"), outcome.out());
      node.unset("vault", "master_key");
      node.start();
      node.awaitReady(PATIENCE);
    }
  }

  @Test
  void aMailboxIsErased() throws Exception {
    try (NodeProcess node = NodeProcess.empty("e13-erase")) {
      node.start();
      office(node);
      String own = send(node, SUSPICIOUS, "ann@office.example");
      String shared = send(node, SUSPICIOUS, "ann@office.example", "bob@office.example");
      Await.until(
          () -> {
            String list = admin(node, "quarantine", "list").out();
            return list.contains(own) && list.contains(shared);
          });
      assertTrue(show(node, own).out().contains(SUSPICIOUS), "the control");

      node.adminOk("hold", "set", "Office", "--user", "ann@office.example", "--reason", "case 7");
      NodeProcess.Outcome refused = erase(node, "ann@office.example", "ann@office.example");
      assertEquals(1, refused.code(), refused.out());
      assertTrue(refused.out().contains("case 7"), refused.out());
      Matcher hold =
          Pattern.compile("[0-9a-f-]{36}").matcher(node.adminOk("hold", "list", "Office"));
      assertTrue(hold.find());
      node.adminOk("hold", "release", hold.group());
      NodeProcess.Outcome asked = admin(node, "user", "erase", "ann@office.example");
      assertEquals(2, asked.code(), asked.out());
      assertTrue(asked.out().contains("2 held end as removed"), asked.out());
      assertEquals(2, erase(node, "ann@office.example", "bob@office.example").code());
      assertEquals(1, erase(node, "postmaster@office.example", "postmaster@office.example").code());
      assertTrue(show(node, own).out().contains(SUSPICIOUS), "nothing was done yet");

      Matcher mailbox = MAILBOX.matcher(asked.out());
      assertTrue(mailbox.find(), asked.out());
      NodeProcess.Outcome erased = erase(node, "ann@office.example", "ann@office.example");
      assertEquals(0, erased.code(), erased.out());
      for (Path store : node.stores()) {
        Path file =
            store
                .resolve("keys")
                .resolve(mailbox.group(1).substring(0, 2))
                .resolve(mailbox.group(1));
        byte[] parcel = Files.readAllBytes(file);
        assertEquals(0x40, parcel[8], "a tombstone's generation");
      }
      assertTrue(admin(node, "trace", own).out().contains("mailbox erased"));
      assertFalse(admin(node, "quarantine", "list").out().contains(own));
      assertTrue(show(node, shared).out().contains(SUSPICIOUS), "bob holds it too");
      assertFalse(node.adminOk("user", "list", "office.example").contains("ann@"));
      Await.until(PATIENCE, () -> isUnknown(node, "ann@office.example"));
      send(node, "hello", "bob@office.example");
      node.awaitEqualStores(PATIENCE);
      assertTrue(node.adminOk("ledger", "check").contains("balance: 0"));
    }
  }

  private static void office(NodeProcess node) throws IOException, InterruptedException {
    node.adminOk("customer", "add", "Office");
    node.adminOk("domain", "add", "office.example", "--customer", "Office");
    node.adminOk("user", "add", "ann@office.example");
    node.adminOk("user", "add", "bob@office.example");
    node.adminOk("route", "maildir", "office.example", node.directory().resolve("mail").toString());
    node.adminOk("customer", "policy", "Office", "--flag", "0.5", "--hold", "0.9");
  }

  private static void untilMore(MailLoad load, int more) {
    int before = load.acknowledged();
    Await.until(PATIENCE, () -> load.acknowledged() >= before + more);
  }

  private static NodeProcess.Outcome erase(NodeProcess node, String address, String confirm) {
    return admin(node, "user", "erase", address, "--confirm", confirm);
  }

  private static NodeProcess.Outcome show(NodeProcess node, String id) {
    return admin(node, "quarantine", "show", id);
  }

  private static NodeProcess.Outcome admin(NodeProcess node, String... arguments) {
    try {
      return node.admin(arguments);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static NodeProcess.Outcome vault(NodeProcess node, String command)
      throws IOException, InterruptedException {
    return NodeProcess.run(
        Map.of("POSTERN_BUILD", "no"),
        List.of(
            NodeProcess.HOME.resolve("postern").toString(),
            "vault",
            command,
            "--config",
            node.writeConfig().toString()));
  }

  // Until the directory's answers are old it may be taken or put off.
  private static boolean isUnknown(NodeProcess node, String recipient) {
    try {
      send(node, "hello", recipient);
      return false;
    } catch (SendFailedException e) {
      return String.valueOf(e.getNextException()).contains("5.1.1")
          || String.valueOf(e).contains("5.1.1");
    } catch (MessagingException e) {
      return false;
    }
  }

  private static String send(NodeProcess node, String subject, String... recipients)
      throws MessagingException {
    Properties properties = new Properties();
    properties.setProperty("mail.smtp.localhost", "client.example");
    properties.setProperty("mail.smtp.from", "sender@client.example");
    Session session = Session.getInstance(properties);
    MimeMessage message = new MimeMessage(session);
    message.setFrom(new InternetAddress("sender@client.example"));
    for (String each : recipients) {
      message.addRecipient(Message.RecipientType.TO, new InternetAddress(each));
    }
    message.setSubject(subject);
    message.setText("How are you?");
    message.saveChanges();
    try (SMTPTransport transport = (SMTPTransport) session.getTransport("smtp")) {
      transport.connect(node.smtp().getAddress().getHostAddress(), node.smtp().getPort(), "", "");
      transport.sendMessage(message, message.getAllRecipients());
      Matcher id = ID.matcher(transport.getLastServerResponse());
      assertTrue(id.find(), transport.getLastServerResponse());
      return id.group();
    }
  }
}
