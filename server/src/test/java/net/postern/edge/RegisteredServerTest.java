package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import org.junit.jupiter.api.Test;

/** A customer's own server: known, but sending out is not offered yet. */
class RegisteredServerTest {

  @Test
  void isToldThatSendingOutIsNotOffered() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      edge.directory.register(InetAddress.ofLiteral("127.0.0.1"));
      dialogue.expect("220");
      dialogue.send("HELO a\r\nMAIL FROM:<anna@example.org>\r\nRCPT TO:<b@elsewhere.example>\r\n");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.expect("550 5.7.1 Sending to other domains is not available");
      assertEquals(Reason.RELAY_DENIED, edge.refusals().getFirst().reason());
      assertEquals(Optional.of(TestDirectory.CUSTOMER), edge.refusals().getFirst().customer());
      // The control: our own domains are served to everyone.
      dialogue.send("RCPT TO:<anna@example.org>\r\n");
      dialogue.expect("250 2.1.5");
    }
  }
}
