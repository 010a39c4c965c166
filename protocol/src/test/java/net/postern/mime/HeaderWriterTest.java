package net.postern.mime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is added, byte by byte. */
class HeaderWriterTest {

  private static String tag(String message, String tag) {
    return new String(HeaderWriter.of(message.getBytes(UTF_8)).tagSubject(tag).write(), UTF_8);
  }

  private static String subject(String message) {
    return Message.parse(message.getBytes(UTF_8)).headers().decoded("Subject");
  }

  @Test
  void fields_go_on_top_in_the_line_ends_of_the_message() {
    byte[] crlf = "A: b\r\n\r\nx\n".getBytes(UTF_8);
    assertEquals(
        "Received: two\r\nX-One: 1\r\nA: b\r\n\r\nx\n",
        new String(
            HeaderWriter.of(crlf).prepend("X-One", "1").prepend("Received", "two").write(), UTF_8));
    assertEquals(
        "X-One: 1\nA: b\n\nx",
        new String(
            HeaderWriter.of("A: b\n\nx".getBytes(UTF_8)).prepend("X-One", "1").write(), UTF_8));
    assertThrows(
        IllegalArgumentException.class, () -> HeaderWriter.of(crlf).prepend("A:\r\nB", "x"));
  }

  @Test
  void long_values_are_folded() {
    String out =
        new String(
            HeaderWriter.of("A: b\r\n\r\n".getBytes(UTF_8))
                .prepend("X-Long", "word ".repeat(40))
                .write(),
            UTF_8);
    out.lines().forEach(line -> assertEquals(true, line.length() <= 78, line));
    assertEquals(
        "word ".repeat(40).trim(), Message.parse(out.getBytes(UTF_8)).headers().decoded("X-Long"));
  }

  @Test
  void subject_is_tagged_once() {
    String tagged = tag("A: b\r\nSubject: Hello\r\nC: d\r\n\r\nbody", "[SPAM]");
    assertEquals("A: b\r\nSubject: [SPAM] Hello\r\nC: d\r\n\r\nbody", tagged);
    assertEquals(tagged, tag(tagged, "[SPAM]"));
    assertEquals("Subject: [SPAM] x\n\n", tag("Subject:x\n\n", "[SPAM]"));
  }

  @Test
  void encoded_words_stay_words() {
    String coded = "Subject: =?utf-8?B?w6TDtsO8?=\r\n =?utf-8?B?w58=?=\r\n\r\n";
    assertEquals("[SPAM] äöüß", subject(tag(coded, "[SPAM]")));
    assertEquals("[НЕТ] äöüß", subject(tag(coded, "[НЕТ]")));
    assertEquals("[НЕТ] plain", subject(tag("Subject: plain\r\n\r\n", "[НЕТ]")));
    String folded = "Subject:\r\n =?utf-8?B?w6Q=?=\r\n\r\n";
    assertEquals("[SPAM] ä", subject(tag(folded, "[SPAM]")));
  }

  @Test
  void a_missing_subject_is_added_behind_the_fields() {
    assertEquals("A: b\r\nSubject: [SPAM]\r\n\r\nx", tag("A: b\r\n\r\nx", "[SPAM]"));
    assertEquals("Subject: [SPAM]", tag("Subject:", "[SPAM]"));
    assertEquals("A: b\r\nSubject: [SPAM]\r\n", tag("A: b", "[SPAM]"));
  }

  @Test
  void without_additions_the_bytes_are_the_same() {
    byte[] message = "Subject: x\r\n\r\n".getBytes(UTF_8);
    assertSame(message, HeaderWriter.of(message).prependLines("").tagSubject(" ").write());
  }

  @Test
  void whole_lines_stay_as_they_are() {
    String lines = "X-Spam-Flag: YES\r\nX-Spam-Status: Yes,\r\n\ttests=A\r\n";
    assertEquals(
        "Received: r\r\n" + lines + "A: b\r\n\r\n",
        new String(
            HeaderWriter.of("A: b\r\n\r\n".getBytes(UTF_8))
                .prependLines(lines)
                .prepend("Received", "r")
                .write(),
            UTF_8));
    HeaderWriter writer = HeaderWriter.of("A: b\r\n\r\n".getBytes(UTF_8));
    for (String bad : List.of("X: 1", "X: 1\r\n\r\n", "\r\nX: 1\r\n", "X: 1\r\n\r\nY: 2\r\n")) {
      assertThrows(IllegalArgumentException.class, () -> writer.prependLines(bad), bad);
    }
  }

  @Test
  void only_the_first_subject_of_the_header_counts() {
    assertEquals(
        "A: b\r\nSUBJECT: [S] x\r\nSubject: y\r\n\r\nSubject: z\r\n",
        tag("A: b\r\nSUBJECT:x\r\nSubject: y\r\n\r\nSubject: z\r\n", "[S]"));
    assertEquals(
        "A: b\r\nSubject: [S]\r\n\r\nSubject: z\r\n", tag("A: b\r\n\r\nSubject: z\r\n", "[S]"));
  }

  @Test
  void a_long_subject_is_folded_before_its_text() {
    String text = "x".repeat(62);
    assertEquals(
        "Subject: [SPAM]" + " " + text + "\r\n\r\n",
        tag("Subject: " + text + "\r\n\r\n", "[SPAM]"));
    assertEquals(
        "Subject: [SPAM]\r\n x" + text + "\r\n\r\n",
        tag("Subject: x" + text + "\r\n\r\n", "[SPAM]"));
    assertEquals(
        "Subject: [SPAM]\n x" + text + "\n\n", tag("Subject: x" + text + "\n\n", "[SPAM]"));
  }

  @Test
  void an_empty_or_folded_subject_stays_whole() {
    assertEquals("Subject: [S]\r\n\r\n", tag("Subject:\r\n\r\n", "[S]"));
    assertEquals("Subject: [S]\r\n more\r\n\r\n", tag("Subject:\r\n more\r\n\r\n", "[S]"));
  }

  @Test
  void a_tag_cannot_bring_header_lines() {
    assertEquals("Subject: [S]  Bcc: x y\r\n\r\n", tag("Subject: y\r\n\r\n", "[S]\r\nBcc: x"));
  }
}
