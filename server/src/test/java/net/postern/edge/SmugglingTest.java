package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * SMTP smuggling: a second message hidden behind something that another server takes for the end of
 * data. Every combination of up to five of CR, LF, NUL and dot, at the start of the data, inside a
 * line and at the start of one, is followed by the commands of a second message: we take exactly
 * one message that has all of it as text, or refuse all of it. Only CRLF.CRLF ends a message (RFC
 * 5321 §4.1.1.4); what stands behind a true end is a command for every server.
 */
class SmugglingTest {
  private static final String END = "\r\n.\r\n";
  private static final String SECOND =
      "MAIL FROM:<evil@example.com>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\nsmuggled";
  private static final List<String> BEFORE = List.of("", "first", "first\r\n");

  /** The true end in one combination: this is the control, where there are two messages. */
  private static boolean endsByItself(String data) {
    return ("\r\n" + data).contains(END);
  }

  private TestEdge edge = new TestEdge(new TestEdge.Settings());
  private Socket socket = new Socket();
  private InputStream in = InputStream.nullInputStream();

  @BeforeEach
  void connect() throws IOException {
    edge.close();
    var settings = new TestEdge.Settings();
    settings.softErrors = 10_000;
    settings.hardErrors = 10_000;
    settings.maxMessages = 100_000;
    edge = new TestEdge(settings);
    socket = new Socket(edge.address().getAddress(), edge.port());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(60_000);
    in = new BufferedInputStream(socket.getInputStream());
    expect("220");
    say("EHLO client.example\r\n", "250");
  }

  @AfterEach
  void disconnect() throws IOException {
    socket.close();
    edge.close();
  }

  @Test
  void data() throws IOException {
    int messages = 0;
    int refusals = 0;
    int controls = 0;
    for (String marks : combinations(5)) {
      for (String before : BEFORE) {
        String data = before + marks + SECOND;
        begin();
        say("DATA\r\n", "354");
        send(data + END);
        if (endsByItself(data)) {
          control(data);
          controls++;
        } else if (receive().startsWith("250")) {
          assertEquals(1, edge.taken.size(), data);
          assertEquals(undotted(data) + "\r\n", edge.taken.remove().text());
          assertFalse(hasLoneLineEndOrNul(data), data);
          messages++;
        } else {
          assertTrue(hasLoneLineEndOrNul(data), data);
          refusals++;
        }
        nothingMore(data);
      }
    }
    System.out.printf(
        "DATA: %d taken as one message, %d refused, %d true ends (controls)%n",
        messages, refusals, controls);
    assertEquals(3 * (4 + 16 + 64 + 256 + 1024), messages + refusals + controls);
    assertTrue(messages > 10 && controls > 10 && refusals > 1_000);
  }

  @Test
  void bdat() throws IOException {
    int messages = 0;
    int refusals = 0;
    for (String marks : combinations(5)) {
      for (String before : BEFORE) {
        String data = before + marks + SECOND + END;
        begin();
        // Split inside the marks as well: what stands at the edge of a chunk is no line end either.
        int split = (before + marks).length() / 2;
        String first = data.substring(0, split);
        String second = data.substring(split);
        send("BDAT " + split + "\r\n" + first);
        boolean taken = receive().startsWith("250");
        send("BDAT " + second.length() + " LAST\r\n" + second);
        taken &= receive().startsWith("250");
        if (taken) {
          assertEquals(1, edge.taken.size(), data);
          assertEquals(data, edge.taken.remove().text());
          assertFalse(hasLoneLineEndOrNul(data), data);
          messages++;
        } else {
          assertTrue(hasLoneLineEndOrNul(data), data);
          refusals++;
        }
        nothingMore(data);
      }
    }
    System.out.printf("BDAT: %d taken as one message, %d refused%n", messages, refusals);
    assertEquals(3 * (4 + 16 + 64 + 256 + 1024), messages + refusals);
    assertTrue(messages > 10 && refusals > 1_000);
  }

  // Two messages, and every server says so: the second is no secret.
  private void control(String data) throws IOException {
    String all = "\r\n" + data;
    String first = all.substring(2, Math.max(2, all.indexOf(END) + 2));
    String rest = all.substring(all.indexOf(END) + END.length());
    boolean taken = receive().startsWith("250");
    assertEquals(!hasLoneLineEndOrNul(first), taken, data);
    if (taken) {
      assertEquals(undotted(first), edge.taken.remove().text());
    }
    if (rest.equals(SECOND)) {
      expect("250");
      expect("250");
      expect("354");
      expect("250");
      assertEquals("smuggled\r\n", edge.taken.remove().text());
    } else {
      // Marks before the second MAIL are no command: whatever follows is refused or a dialogue.
      send("NOOP end\r\n");
      String line = receive();
      while (!line.equals("250 2.0.0 Ok")) {
        line = receive();
      }
      edge.taken.clear();
    }
  }

  private void nothingMore(String data) throws IOException {
    say("RSET\r\n", "250");
    assertEquals(0, edge.taken.size(), () -> "one message too many: " + data);
    assertEquals(0, in.available(), () -> "a reply too many: " + data);
  }

  private void begin() throws IOException {
    say("MAIL FROM:<s@example.com>\r\n", "250");
    say("RCPT TO:<anna@example.org>\r\n", "250");
  }

  private static boolean hasLoneLineEndOrNul(String data) {
    String rest = data.replace("\r\n", "");
    return rest.indexOf('\r') >= 0 || rest.indexOf('\n') >= 0 || rest.indexOf('\0') >= 0;
  }

  private static String undotted(String data) {
    return ("\r\n" + data).replace("\r\n.", "\r\n").substring(2);
  }

  private void say(String command, String reply) throws IOException {
    send(command);
    expect(reply);
  }

  private void send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private void expect(String start) throws IOException {
    String reply = receive();
    assertTrue(reply.startsWith(start), "expected " + start + " but got " + reply);
  }

  /** The last line of the next reply. */
  private String receive() throws IOException {
    String line = line();
    while (line.length() > 3 && line.charAt(3) == '-') {
      line = line();
    }
    return line;
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int b;
    while ((b = in.read()) >= 0 && b != '\n') {
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(StandardCharsets.ISO_8859_1);
  }

  private static List<String> combinations(int longest) {
    List<String> all = new ArrayList<>();
    List<String> last = List.of("");
    for (int length = 1; length <= longest; length++) {
      List<String> next = new ArrayList<>();
      for (String each : last) {
        for (String mark : List.of("\r", "\n", "\0", ".")) {
          next.add(each + mark);
        }
      }
      all.addAll(next);
      last = next;
    }
    return all;
  }
}
