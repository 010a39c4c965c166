package net.postern.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class DataWriterTest {
  private static String written(String content, int buffer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new DataWriter((bytes, length) -> out.write(bytes, 0, length), new byte[buffer])
        .write(content.getBytes(StandardCharsets.ISO_8859_1));
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  @Provide
  Arbitrary<String> tricky() {
    return Arbitraries.strings().withChars('\r', '\n', '.', 'a', '\0').ofMaxLength(60);
  }

  @Property(tries = 3_000)
  void thereIsOneEndAndNoBareLineEnd(
      @ForAll("tricky") String content, @ForAll @IntRange(min = 1, max = 64) int buffer)
      throws IOException {
    String out = written(content, buffer);
    assertFalse(out.replace("\r\n", "").contains("\r"), out);
    assertFalse(out.replace("\r\n", "").contains("\n"), out);
    assertTrue(("\r\n" + out).endsWith("\r\n.\r\n"), out);
    assertEquals(out.length() - 3, ("\r\n" + out).indexOf("\r\n.\r\n"), out);
  }

  @Property(tries = 3_000)
  void theOtherSideReadsTheSameText(
      @ForAll("tricky") String content, @ForAll @IntRange(min = 1, max = 64) int buffer)
      throws IOException {
    String normal = content.replace("\r\n", "\n").replace('\r', '\n').replace("\n", "\r\n");
    normal = normal.replace("\0", "");
    String expected = normal.isEmpty() || normal.endsWith("\r\n") ? normal : normal + "\r\n";
    String out = written(content, buffer);
    String body = ("\r\n" + out.substring(0, out.length() - 3)).replace("\r\n.", "\r\n");
    assertEquals(expected, body.substring(2));
  }

  /**
   * Every combination of up to six of CR, LF, NUL and dot in the middle, at the start and at the
   * end of a message: whatever a server takes for the end of a line, and whether it drops NUL, it
   * sees one end of data.
   */
  @Example
  void whateverAServerTakesForALineEndItSeesOneMessage() throws IOException {
    int tried = 0;
    for (String marks : combinations(6)) {
      for (String content : List.of("a" + marks + "b\r\n", marks + "b\r\n", "a" + marks, marks)) {
        String out = written(content, 64);
        for (String read : List.of(out, out.replace("\0", ""))) {
          String lines = "\n" + read.replace("\r\n", "\n").replace('\r', '\n');
          assertEquals(lines.length() - 3, lines.indexOf("\n.\n"), content + " became " + out);
          assertEquals(-1, out.replace("\r\n", "").indexOf('\n'), content + " became " + out);
        }
        tried++;
      }
    }
    assertEquals(4 * (4 + 16 + 64 + 256 + 1024 + 4096), tried);
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

  @Example
  void aCleanMessageThatFitsIsOneWrite() throws IOException {
    int[] writes = new int[1];
    new DataWriter((bytes, length) -> writes[0]++, new byte[1024])
        .write("A: b\r\n\r\nbody\r\n".getBytes(StandardCharsets.US_ASCII));
    assertEquals(1, writes[0]);
  }
}
