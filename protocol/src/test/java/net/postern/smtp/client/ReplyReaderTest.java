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
import java.util.Optional;
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
      assertEquals(new ServerReply(220, List.of("hi")), reader.read());
      assertEquals(new ServerReply(250, List.of("a", "b c", "d")), reader.read());
      assertEquals(new ServerReply(354, List.of("")), reader.read());
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
  void statusCodesCountOnlyInTheirOwnClass() {
    assertEquals(
        Optional.of("5.1.1"), new ServerReply(550, List.of("5.1.1 No such user")).enhanced());
    assertEquals(Optional.of("2.0.0"), new ServerReply(250, List.of("2.0.0")).enhanced());
    assertEquals(Optional.empty(), new ServerReply(550, List.of("2.0.0 Ok")).enhanced());
    assertEquals(Optional.empty(), new ServerReply(550, List.of("No 5.1.1 here")).enhanced());
  }

  @Test
  void controlCharactersDoNotReachLogs() {
    assertEquals("550 a?[31mb", new ServerReply(550, List.of("a\u001b[31mb")).toString());
    assertTrue(new ServerReply(250, List.of("a", "b")).text().contains("a / b"));
  }
}
