package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.mail.Session;
import jakarta.mail.internet.InternetHeaders;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.Settlement;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import net.postern.vault.MessageFrame;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final SmtpPeer.Script REFUSING =
      (stage, argument, connection) ->
          stage == Stage.RCPT
              ? new Act.Say("550-5.1.1 No such user here\r\n550 5.1.1 really n\u00f6t")
              : new Act.Accept();

  private static MimeMessage parse(byte[] content) throws Exception {
    return new MimeMessage(
        Session.getInstance(new Properties()), new ByteArrayInputStream(content));
  }

  private static List<InternetHeaders> fields(InputStream in) throws Exception {
    List<InternetHeaders> groups = new ArrayList<>();
    byte[] all = in.readAllBytes();
    for (String group : new String(all, StandardCharsets.UTF_8).split("\r\n\r\n")) {
      if (!group.isBlank()) {
        groups.add(
            new InternetHeaders(
                new ByteArrayInputStream((group + "\r\n\r\n").getBytes(StandardCharsets.UTF_8))));
      }
    }
    return groups;
  }

  @Test
  void aReportHasTheThreePartsAndTheirFields() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(REFUSING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("no@example.com", "nor@example.com").dispatch();
      Await.until(() -> world.ledger.count(DeliveryState.RETURNED) == 2);
      assertEquals(1, world.ledger.reports.size(), "one report for all that failed together");
      MessageRecord record = world.ledger.reports.getFirst();
      assertEquals(MessageRecord.Origin.REPORT, record.origin());
      assertTrue(record.reversePath().isEmpty());
      assertEquals(world.customer, record.customer());
      MessageRecord.NewDelivery delivery = record.deliveries().getFirst();
      assertEquals("a@sender.example", delivery.recipient().toString());
      assertEquals(DeliveryState.WAITING, delivery.state());

      MessageFrame frame = world.vault.read(record.place());
      MailboxId holder = frame.holders().getFirst().mailbox();
      assertEquals(delivery.mailbox(), holder);
      assertEquals(record.id(), frame.id());
      MimeMessage report = parse(frame.content());
      assertEquals("auto-replied", report.getHeader("Auto-Submitted", null));
      assertEquals("<a@sender.example>", report.getHeader("To", null));
      assertTrue(report.getContentType().startsWith("multipart/report"));
      assertTrue(report.getContentType().contains("report-type=delivery-status"));
      assertFalse(new String(frame.content(), StandardCharsets.UTF_8).matches("(?s).*[^\r]\n.*"));
      MimeMultipart parts = (MimeMultipart) report.getContent();
      assertEquals(3, parts.getCount());
      assertTrue(parts.getBodyPart(0).isMimeType("text/plain"));
      String text = String.valueOf(parts.getBodyPart(0).getContent());
      assertTrue(text.contains("no@example.com") && text.contains("nor@example.com"), text);
      assertTrue(text.contains("No such user here"), text);

      assertTrue(parts.getBodyPart(1).isMimeType("message/delivery-status"));
      List<InternetHeaders> groups = fields(parts.getBodyPart(1).getInputStream());
      assertEquals(3, groups.size());
      assertEquals("dns; " + DeliveryWorld.HOST, groups.get(0).getHeader("Reporting-MTA", null));
      assertEquals("rfc822; no@example.com", groups.get(1).getHeader("Final-Recipient", null));
      assertEquals("failed", groups.get(1).getHeader("Action", null));
      assertEquals("5.1.1", groups.get(1).getHeader("Status", null));
      assertEquals("dns; 127.0.0.1", groups.get(1).getHeader("Remote-MTA", null));
      assertTrue(groups.get(1).getHeader("Diagnostic-Code", null).startsWith("smtp; 550 5.1.1"));
      assertEquals("rfc822; nor@example.com", groups.get(2).getHeader("Final-Recipient", null));

      assertTrue(parts.getBodyPart(2).isMimeType("text/rfc822-headers"));
      String header =
          new String(parts.getBodyPart(2).getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(header.contains("Subject: hello"), header);
      assertFalse(header.contains("body"), header);
      assertEquals(DeliveryState.RETURNED, world.ledger.state(id, 0));
    }
  }

  @Test
  void nobodyIsToldAboutAFailedReport() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(REFUSING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id = world.letter("no@example.com").fromNobody().dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.RETURNED);
      assertEquals(0, world.ledger.reports.size());
      assertEquals("MAIL FROM:<>", mail(peer).substring(0, 12));
    }
  }

  private static String mail(SmtpPeer peer) {
    return peer.commands().stream().filter(c -> c.startsWith("MAIL")).findFirst().orElseThrow();
  }

  @Test
  void whatIsOverItsTimeIsReturned() throws Exception {
    SmtpPeer.Script later =
        (stage, argument, connection) ->
            stage == Stage.RCPT ? new Act.Say("450 4.2.0 Later") : new Act.Accept();
    try (SmtpPeer peer = SmtpPeer.start(later);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      MessageId id =
          world.letter("no@example.com").giveUpAt(Instant.now().plusSeconds(3)).dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.RETURNED);
      assertTrue(world.ledger.settled(Settlement.Retry.class).size() >= 1);
      MessageRecord record = world.ledger.reports.getFirst();
      MimeMultipart parts =
          (MimeMultipart) parse(world.vault.read(record.place()).content()).getContent();
      InternetHeaders fields = fields(parts.getBodyPart(1).getInputStream()).get(1);
      assertEquals("5.4.7", fields.getHeader("Status", null));
      assertTrue(fields.getHeader("Diagnostic-Code", null).contains("450 4.2.0 Later"));
    }
  }

  @Test
  void withoutVaultNothingIsReturnedUnreported() throws Exception {
    try (SmtpPeer peer = SmtpPeer.start(REFUSING);
        DeliveryWorld world = DeliveryWorld.start()) {
      world.route("example.com", peer);
      world.vault.away = true;
      MessageId id = world.letter("no@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      assertEquals(0, world.ledger.settled(Settlement.Returned.class).size());
      world.vault.away = false;
      Await.until(() -> world.ledger.state(id) == DeliveryState.RETURNED);
      assertEquals(1, world.ledger.reports.size());
    }
  }

  @Test
  void utf8AddressesAndLongRepliesStayReadable() throws Exception {
    String words = "550 5.7.1 " + "x".repeat(3_000);
    byte[] report =
        new Report(
                MessageId.create(),
                DeliveryWorld.HOST,
                DeliveryWorld.address("a@sender.example"),
                Instant.now(),
                Instant.now(),
                List.of(
                    new Report.Failure(
                        DeliveryWorld.address("j\u00f6rg@example.com"),
                        DeliveryResult.Diagnosis.own("5.7.1", words),
                        false)),
                DeliveryWorld.MAIL)
            .message();
    MimeMultipart parts = (MimeMultipart) parse(report).getContent();
    assertTrue(parts.getBodyPart(1).isMimeType("message/global-delivery-status"));
    String text = new String(report, StandardCharsets.UTF_8);
    assertTrue(text.contains("Final-Recipient: utf-8; j\u00f6rg@example.com"));
    assertTrue(text.lines().allMatch(line -> line.length() <= 78), "no long line");
  }
}
