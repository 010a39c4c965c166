package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import net.postern.tenant.Recipient;
import org.junit.jupiter.api.Test;

/** A group is one recipient to the client, and its members to everything behind. */
class GroupRecipientTest {

  @Test
  void aGroupIsTakenOnceAndBecomesItsMembers() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      dialogue.expect("220");
      say(
          dialogue,
          "HELO a",
          "MAIL FROM:<s@example.com>",
          "RCPT TO:<user-of-team1@example.org>",
          "RCPT TO:<Team@example.org>",
          "RCPT TO:<TEAM@example.org>",
          "RCPT TO:<anna@example.org>",
          "DATA");
      for (int i = 0; i < 6; i++) {
        dialogue.expect("250");
      }
      dialogue.expect("354");
      dialogue.send("Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n");
      dialogue.expect("250");
      assertEquals(
          "[user-of-team1@example.org, user-of-team0@example.org, user-of-team2@example.org,"
              + " anna@example.org]",
          edge.taken.element().envelope().recipients().stream()
              .map(Recipient::address)
              .toList()
              .toString());
    }
  }

  @Test
  void moreThanTheLedgerCountsComesInAnotherTransaction() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      dialogue.expect("220");
      say(
          dialogue,
          "HELO a",
          "MAIL FROM:<s@example.com>",
          "RCPT TO:<big@example.org>",
          "RCPT TO:<more@example.org>",
          "RCPT TO:<team@example.org>",
          "RSET",
          "MAIL FROM:<s@example.com>",
          "RCPT TO:<more@example.org>",
          "QUIT");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("452 4.5.3");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("250");
    }
  }

  /** The client's own limit counts what it said, not what became of it. */
  @Test
  void theLimitOfRecipientsCountsAGroupOnce() throws Exception {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.maxRecipients = 2;
    try (TestEdge edge = new TestEdge(settings);
        Dialogue dialogue = Dialogue.with(edge)) {
      dialogue.expect("220");
      say(
          dialogue,
          "HELO a",
          "MAIL FROM:<s@example.com>",
          "RCPT TO:<team@example.org>",
          "RCPT TO:<anna@example.org>",
          "RCPT TO:<user7@example.org>",
          "QUIT");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("452 4.5.3");
      assertTrue(edge.taken.isEmpty());
    }
  }

  private static void say(Dialogue dialogue, String... lines) throws IOException {
    dialogue.send(String.join("\r\n", lines) + "\r\n");
  }
}
