package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import net.postern.config.Network;
import net.postern.events.MailEvent;
import org.junit.jupiter.api.Test;

/** What a server or a proxy hears while it cannot be said who is who. */
class RegisteredServerTest {
  private static final InetAddress HERE = InetAddress.ofLiteral("127.0.0.1");

  private static String relay(Dialogue dialogue) throws Exception {
    dialogue.send("RCPT TO:<someone@elsewhere.example>\r\n");
    return dialogue.line();
  }

  private static void begin(Dialogue dialogue) throws Exception {
    dialogue.expect("220");
    dialogue.send("HELO server.example\r\nMAIL FROM:<sales@example.org>\r\n");
    dialogue.expect("250");
    dialogue.expect("250");
  }

  @Test
  void itIsToComeAgainAndThatIsNotRemembered() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      edge.directory.register(HERE);
      edge.directory.away = true;
      begin(dialogue);
      String said = relay(dialogue);
      assertTrue(said.startsWith("451 4.3.0"), said);
      assertEquals(MailEvent.Reason.DATABASE_UNAVAILABLE, edge.refusals().getFirst().reason());
      edge.directory.away = false;
      said = relay(dialogue);
      assertTrue(said.startsWith("250 2.1.5"), said);
    }
    // The control: who is no server is refused for good.
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      begin(dialogue);
      String said = relay(dialogue);
      assertTrue(said.startsWith("550 5.7.1"), said);
    }
  }

  @Test
  void itsMailboxMayBeUnknownToo() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      edge.directory.register(HERE);
      edge.accounts.away = true;
      begin(dialogue);
      String said = relay(dialogue);
      assertTrue(said.startsWith("451 4.3.0"), said);
    }
  }

  @Test
  void whoIsTakenBackMayNotSendInTheSameSession() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      edge.directory.register(HERE);
      begin(dialogue);
      String said = relay(dialogue);
      assertTrue(said.startsWith("250"), said);
      edge.directory.unregister(HERE);
      dialogue.send("RSET\r\nMAIL FROM:<sales@example.org>\r\n");
      dialogue.expect("250");
      dialogue.expect("250");
      said = relay(dialogue);
      assertTrue(said.startsWith("550 5.7.1"), said);
    }
  }

  @Test
  void aUserOfAProxyIsToComeAgain() throws Exception {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.xclients = List.of(Network.parse("127.0.0.1").orElseThrow());
    try (TestEdge edge = new TestEdge(settings);
        Dialogue dialogue =
            new Dialogue(new Socket(edge.address().getAddress(), edge.port("submission")))) {
      dialogue.expect("220");
      edge.accounts.away = true;
      dialogue.send("XCLIENT ADDR=192.0.2.7 LOGIN=anna@example.org\r\n");
      dialogue.expect("454 4.7.0");
      edge.accounts.away = false;
      dialogue.send("XCLIENT ADDR=192.0.2.7 LOGIN=anna@example.org\r\n");
      dialogue.expect("220");
      dialogue.send("HELO laptop.example\r\nMAIL FROM:<anna@example.org>\r\n");
      dialogue.expect("250");
      dialogue.expect("250");
      dialogue.send("RSET\r\nXCLIENT LOGIN=nobody@example.org\r\n");
      dialogue.expect("250");
      dialogue.expect("220");
      dialogue.send("HELO laptop.example\r\nMAIL FROM:<anna@example.org>\r\n");
      dialogue.expect("250");
      dialogue.expect("530");
    }
  }
}
