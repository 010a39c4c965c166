package net.postern.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
    String expected = normal.isEmpty() || normal.endsWith("\r\n") ? normal : normal + "\r\n";
    String out = written(content, buffer);
    String body = ("\r\n" + out.substring(0, out.length() - 3)).replace("\r\n.", "\r\n");
    assertEquals(expected, body.substring(2));
  }

  @Example
  void aCleanMessageThatFitsIsOneWrite() throws IOException {
    int[] writes = new int[1];
    new DataWriter((bytes, length) -> writes[0]++, new byte[1024])
        .write("A: b\r\n\r\nbody\r\n".getBytes(StandardCharsets.US_ASCII));
    assertEquals(1, writes[0]);
  }
}
