package net.postern.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class WireReaderTest {

  /** Gives so many bytes at a time as a network would. */
  private static InputStream trickle(String text, int piece) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)) {
      @Override
      public synchronized int read(byte[] into, int offset, int length) {
        return super.read(into, offset, Math.min(length, piece));
      }
    };
  }

  private static List<String> readAll(WireReader reader) throws IOException {
    List<String> found = new ArrayList<>();
    while (true) {
      WireReader.Line line = reader.readLine();
      switch (line) {
        case COMPLETE ->
            found.add(
                switch (reader.command()) {
                  case Parsed.Ok<Command> ok -> ok.value().verb() + "|" + ok.value().argument();
                  case Parsed.Bad<Command> bad -> "bad";
                });
        case TOO_LONG, BARE_LINE_END -> found.add(line.name());
        case ENDLESS -> {
          found.add(line.name());
          return found;
        }
        case END_OF_STREAM -> {
          return found;
        }
      }
    }
  }

  @Test
  void readsLinesInPiecesOfAnySize() throws IOException {
    String text = "EHLO a\r\nnoop\r\n" + "NOOP " + "x".repeat(2041) + "\r\nQUIT\r\nrest";
    for (int piece : new int[] {1, 2, 7, 511, 512, 513, 5000}) {
      List<String> found = readAll(new WireReader(trickle(text, piece)));
      assertEquals(
          List.of("EHLO|a", "NOOP|", "NOOP|" + "x".repeat(2041), "QUIT|"), found, "by " + piece);
    }
  }

  @Test
  void aLineWithoutEndIsNotReadForEver() throws IOException {
    for (int piece : new int[] {511, 512, 100_000}) {
      String line = "x".repeat(2048 + WireReader.MAX_SKIPPED + 100_000) + "\r\nQUIT\r\n";
      assertEquals(List.of("TOO_LONG", "ENDLESS"), readAll(new WireReader(trickle(line, piece))));
    }
    // The control: as long as may be.
    String line = "x".repeat(WireReader.MAX_SKIPPED) + "\r\nQUIT\r\n";
    assertEquals(List.of("TOO_LONG", "QUIT|"), readAll(new WireReader(trickle(line, 512))));
  }

  @Test
  void aLineOverTheBoundIsDroppedWhole() throws IOException {
    for (int length : new int[] {2042, 2043, 2048, 4096, 9000}) {
      for (int piece : new int[] {1, 511, 512, 100_000}) {
        String text = "NOOP " + "x".repeat(length) + "\r\nQUIT\r\n";
        assertEquals(
            List.of("TOO_LONG", "QUIT|"),
            readAll(new WireReader(trickle(text, piece))),
            length + " by " + piece);
      }
    }
  }

  @Provide
  Arbitrary<String> tricky() {
    return Arbitraries.of("\r", "\n", "\r\n", "NOOP", "QUIT", " ", "\r\n", "a", "\r\nRSET\r\n")
        .list()
        .ofMaxSize(40)
        .map(parts -> String.join("", parts));
  }

  /** Nothing between a bare line end and the next CRLF is ever a command. */
  @Property(tries = 3000)
  void onlyWholeLinesAreCommands(@ForAll("tricky") String text) throws IOException {
    List<String> expected = new ArrayList<>();
    int at = 0;
    int crlf;
    while ((crlf = text.indexOf("\r\n", at)) >= 0) {
      String line = text.substring(at, crlf);
      boolean bare = line.indexOf('\r') >= 0 || line.indexOf('\n') >= 0;
      expected.add(bare ? "BARE" : "line");
      at = crlf + 2;
    }
    String tail = text.substring(at);
    // What is bare in the unfinished rest is said at once, except a CR that LF may still follow.
    if (tail.indexOf('\n') >= 0
        || (tail.indexOf('\r') >= 0 && tail.indexOf('\r') < tail.length() - 1)) {
      expected.add("BARE");
    }
    for (int piece : new int[] {1, 3, 10_000}) {
      List<String> found =
          readAll(new WireReader(trickle(text, piece))).stream()
              .map(f -> f.equals("BARE_LINE_END") ? "BARE" : "line")
              .toList();
      assertEquals(expected, found, "by " + piece);
    }
  }

  @Test
  void handsOverMessageBytesAndTakesThemBack() throws IOException {
    WireReader reader = new WireReader(trickle("DATA\r\nabc\r\n.\r\nQUIT\r\n", 1000));
    assertEquals(WireReader.Line.COMPLETE, reader.readLine());
    assertTrue(reader.hasBuffered());
    byte[] bytes = new byte[100];
    int n = reader.read(bytes, 0, bytes.length);
    assertEquals(14, n);
    assertFalse(reader.hasBuffered());
    reader.unread(bytes, 8, n);
    assertEquals(List.of("QUIT|"), readAll(reader));
  }
}
