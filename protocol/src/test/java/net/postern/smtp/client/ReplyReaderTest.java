package net.postern.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.postern.smtp.Reply;
import org.junit.jupiter.api.Test;

class ReplyReaderTest {
  private static ReplyReader reader(String text) {
    return new ReplyReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** One byte for each read, as a slow network gives them. */
  private static ReplyReader slow(String text) {
    InputStream in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    return new ReplyReader(
        new InputStream() {
          @Override
          public int read() throws IOException {
            return in.read();
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            return in.read(into, offset, Math.min(1, length));
          }
        });
  }

  @Test
  void repliesOfOneAndOfManyLines() throws IOException {
    for (ReplyReader reader :
        List.of(
            reader("220 hi\r\n250-a\r\n250-b c\r\n250 d\r\n354\r\n"),
            slow("220 hi\r\n250-a\r\n250-b c\r\n250 d\r\n354\r\n"))) {
      assertEquals(new Reply(220, "", List.of("hi")), reader.read());
      assertEquals(new Reply(250, "", List.of("a", "b c", "d")), reader.read());
      assertEquals(new Reply(354, "", List.of("")), reader.read());
      assertFalse(reader.hasLeftovers());
    }
  }

  @Test
  void whatIsNoReplyIsAnError() {
    for (String bad :
        List.of("", "hello\r\n", "99 x\r\n", "600 x\r\n", "2500 x\r\n", "250-a\r\n251 b\r\n")) {
      assertThrows(IOException.class, () -> reader(bad).read(), bad);
    }
  }

  @Test
  void repliesAreBounded() {
    assertThrows(IOException.class, () -> reader("250 " + "x".repeat(5_000) + "\r\n").read());
    assertThrows(IOException.class, () -> reader("250-x\r\n".repeat(1_000)).read());
  }

  @Test
  void statusCodesCountOnlyInTheirOwnClass() throws IOException {
    assertEquals("5.1.1", reader("550 5.1.1 No such user\r\n").read().enhanced());
    assertEquals("2.0.0", reader("250 2.0.0\r\n").read().enhanced());
    assertEquals("", reader("550 2.0.0 Ok\r\n").read().enhanced());
    assertEquals("", reader("550 No 5.1.1 here\r\n").read().enhanced());
  }

  @Test
  void controlCharactersDoNotReachLogs() throws IOException {
    assertEquals("550 a?[31mb", reader("550 a\u001b[31mb\r\n").read().toString());
    IOException noReply =
        assertThrows(IOException.class, () -> reader("\u001b[31mhello\r\n").read());
    assertTrue(String.valueOf(noReply.getMessage()).endsWith("?[31mhello"), noReply.getMessage());
  }
}
