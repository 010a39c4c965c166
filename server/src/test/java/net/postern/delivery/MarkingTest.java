package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MarkingTest {
  private static String apply(String message, String mark, String tag) {
    return new String(
        Marking.apply(message.getBytes(StandardCharsets.UTF_8), mark, tag), StandardCharsets.UTF_8);
  }

  @Test
  void withoutMarkTheBytesAreTheSame() {
    byte[] message = "Subject: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    assertSame(message, Marking.apply(message, "", ""));
  }

  @Test
  void theFirstSubjectGetsTheTag() {
    assertEquals(
        "A: b\r\nSUBJECT: [S] x\r\nSubject: y\r\n\r\nSubject: z\r\n",
        apply("A: b\r\nSUBJECT:x\r\nSubject: y\r\n\r\nSubject: z\r\n", "", "[S]"));
  }

  @Test
  void aSubjectInTheBodyIsNone() {
    assertEquals(
        "X: 1\r\nSubject: [S]\r\nA: b\r\n\r\nSubject: z\r\n",
        apply("A: b\r\n\r\nSubject: z\r\n", "X: 1\r\n", "[S]"));
  }

  @Test
  void aLongSubjectIsFoldedBeforeItsText() {
    String text = "x".repeat(70);
    assertEquals(
        "Subject: [SPAM]\r\n " + text + "\r\n\r\n",
        apply("Subject: " + text + "\r\n\r\n", "", "[SPAM]"));
  }

  @Test
  void anEmptyOrFoldedSubjectStaysWhole() {
    assertEquals("Subject: [S]\r\n\r\n", apply("Subject:\r\n\r\n", "", "[S]"));
    assertEquals("Subject: [S]\r\n more\r\n\r\n", apply("Subject:\r\n more\r\n\r\n", "", "[S]"));
  }

  @Test
  void aTagCannotBringHeaderLines() {
    assertEquals(
        "Subject: [S]  Bcc: x y\r\n\r\n", apply("Subject: y\r\n\r\n", "", "[S]\r\nBcc: x"));
  }

  @Test
  void aTagInOtherScriptsIsEncoded() {
    assertEquals(
        "Subject: =?utf-8?b?W8OcXQ==?= y\r\n\r\n", apply("Subject: y\r\n\r\n", "", "[\u00dc]"));
  }
}
