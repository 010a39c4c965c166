package net.postern.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplyTest {

  private static Reply collect(String... lines) throws ProtocolException {
    Reply.Collector collector = new Reply.Collector();
    for (int i = 0; i < lines.length; i++) {
      assertEquals(i == lines.length - 1, collector.add(lines[i]), lines[i]);
    }
    return collector.reply();
  }

  @Test
  void printsOneLineAfterTheOther() {
    Reply reply = new Reply(550, "5.1.1", List.of("No such", "user"));
    assertEquals(
        "550-5.1.1 No such\r\n550 5.1.1 user\r\n",
        new String(reply.toBytes(), StandardCharsets.US_ASCII));
    assertEquals("550 5.1.1 No such user", reply.toString());
  }

  @Test
  void noTextBreaksALine() {
    assertEquals(
        "250 a??b?\r\n",
        new String(Reply.plain(250, "a\r\nb\u00e4").toBytes(), StandardCharsets.US_ASCII));
  }

  @Test
  void collectsWhatWasPrinted() throws ProtocolException {
    assertEquals(
        new Reply(250, "", List.of("mx.test", "SIZE 10")), collect("250-mx.test", "250 SIZE 10"));
    assertEquals(
        new Reply(550, "5.7.1", List.of("Denied", "Really")),
        collect("550-5.7.1 Denied", "550 5.7.1 Really"));
    // RFC 5321 §4.2: a code alone is to be understood.
    assertEquals(Reply.plain(250, ""), collect("250"));
    // RFC 3463 §2: a status of another class than the code's is text.
    assertEquals(Reply.plain(250, "5.7.1 text"), collect("250 5.7.1 text"));
    assertEquals(Reply.plain(250, "2.0 text"), collect("250 2.0 text"));
    assertEquals(Reply.of(250, "2.1.5", ""), collect("250 2.1.5"));
    assertEquals(Reply.of(550, "5.7.1", "tab"), collect("550 5.7.1\ttab"));
    // RFC 2034 §4: the first status stands for the reply; a line with another one keeps it.
    assertEquals(
        new Reply(550, "5.7.1", List.of("Denied", "5.1.1 Really")),
        collect("550-5.7.1 Denied", "550 5.1.1 Really"));
  }

  @Test
  void refusesWhatIsNoReply() {
    for (String line : List.of("", "25", "abc", "250x", "999 no", "100 no")) {
      assertThrows(ProtocolException.class, () -> new Reply.Collector().add(line), line);
    }
    assertThrows(ProtocolException.class, () -> collect("250-a", "550 b"));
    assertThrows(
        ProtocolException.class, () -> new Reply.Collector().add("250 " + "x".repeat(5000)));
  }

  @Test
  void aReplyWithoutEndIsCutOff() throws ProtocolException {
    Reply.Collector collector = new Reply.Collector();
    for (int i = 0; i < Reply.MAX_LINES; i++) {
      assertFalse(collector.add("250-more"));
    }
    assertThrows(ProtocolException.class, () -> collector.add("250-more"));
  }

  @Test
  void knowsItsClass() {
    assertTrue(Reply.plain(250, "").positive());
    assertTrue(Reply.plain(354, "").intermediate());
    assertTrue(Reply.plain(451, "").transientFailure());
    assertTrue(Reply.plain(550, "").permanentFailure());
    assertFalse(Reply.plain(451, "").permanentFailure());
  }
}
