package net.postern.smtp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever bytes come, in whatever pieces: the decoder finds the end where CRLF.CRLF first stands,
 * and nowhere else. The model that it is compared with is written with strings and no state.
 */
class DataDecoderTest {
  private static final String AFTER = "NOOP\r\n";

  private record Decoded(String content, ContentDefect defect, boolean ended, int consumed) {}

  @Provide
  Arbitrary<String> tricky() {
    return Arbitraries.of(
            "\r", "\n", ".", "\r\n", "\r\n.", "\n.", "\r.", ".\r", ".\n", "\0", "a", "text",
            "\r\n..", "x.y")
        .list()
        .ofMaxSize(30)
        .map(parts -> String.join("", parts));
  }

  @Provide
  Arbitrary<List<String>> lines() {
    return Arbitraries.of("", ".", "..", "...", ".a", "a.", "text", ". ", "x".repeat(100))
        .list()
        .ofMaxSize(40);
  }

  @Property(tries = 5000)
  void endsExactlyWhereTheStandardSays(@ForAll("tricky") String data, @ForAll long seed) {
    String stream = data + "\r\n.\r\n" + AFTER;
    Decoded decoded = decode(stream.getBytes(StandardCharsets.ISO_8859_1), new Random(seed));

    // RFC 5321 §4.1.1.4: the first line counts as begun after CRLF.
    int end = ("\r\n" + stream).indexOf("\r\n.\r\n");
    assertTrue(decoded.ended());
    assertEquals(end + 3, decoded.consumed(), "end of data");
    String raw = stream.substring(0, end);
    String rest = raw.replace("\r\n", "");
    boolean clean = rest.chars().noneMatch(c -> c == '\r' || c == '\n' || c == 0);
    assertEquals(clean, decoded.defect() == ContentDefect.NONE, "defect in " + printable(raw));
    if (clean) {
      String expected = ("\r\n" + raw).replace("\r\n.", "\r\n").substring(2);
      assertEquals(expected, decoded.content());
    }
  }

  @Property(tries = 2000)
  void withoutAnEndThereIsNoMessage(@ForAll("tricky") String data, @ForAll long seed) {
    String stream = ("\r\n" + data).replace("\r\n.\r\n", "\r\nx\r\n").substring(2);
    if (("\r\n" + stream).contains("\r\n.\r\n")) {
      return;
    }
    assertFalse(decode(stream.getBytes(StandardCharsets.ISO_8859_1), new Random(seed)).ended());
  }

  @Property(tries = 2000)
  void whatTheWriterSendsTheDecoderReadsBack(@ForAll("lines") List<String> lines, @ForAll long seed)
      throws IOException {
    StringBuilder content = new StringBuilder();
    lines.forEach(line -> content.append(line).append("\r\n"));
    byte[] sent = content.toString().getBytes(StandardCharsets.ISO_8859_1);
    ByteArrayOutputStream wire = new ByteArrayOutputStream();
    new DataWriter((bytes, length) -> wire.write(bytes, 0, length), new byte[64]).write(sent);
    wire.writeBytes(AFTER.getBytes(StandardCharsets.ISO_8859_1));
    Decoded decoded = decode(wire.toByteArray(), new Random(seed));
    assertTrue(decoded.ended());
    assertEquals(ContentDefect.NONE, decoded.defect());
    assertArrayEquals(sent, decoded.content().getBytes(StandardCharsets.ISO_8859_1));
    assertEquals(wire.size() - AFTER.length(), decoded.consumed());
  }

  @Property(tries = 3000)
  void theWriterNeverSendsWhatCouldBeTakenForAnEnd(@ForAll("tricky") String data)
      throws IOException {
    ByteArrayOutputStream wire = new ByteArrayOutputStream();
    new DataWriter((bytes, length) -> wire.write(bytes, 0, length), new byte[64])
        .write(data.getBytes(StandardCharsets.ISO_8859_1));
    String sent = wire.toString(StandardCharsets.ISO_8859_1);
    assertEquals(sent.length() - 3, ("\r\n" + sent).indexOf("\r\n.\r\n"), printable(sent));
    String rest = sent.replace("\r\n", "");
    assertTrue(rest.indexOf('\r') < 0 && rest.indexOf('\n') < 0, printable(sent));
  }

  @Property(tries = 3000)
  void chunksAreJudgedAsTheWhole(@ForAll("tricky") String data, @ForAll long seed) {
    byte[] bytes = data.getBytes(StandardCharsets.ISO_8859_1);
    Random random = new Random(seed);
    ChunkCheck check = new ChunkCheck();
    int at = 0;
    while (at < bytes.length) {
      int to = at + 1 + random.nextInt(bytes.length - at);
      check.check(bytes, at, to);
      at = to;
    }
    String rest = data.replace("\r\n", "");
    boolean clean = rest.chars().noneMatch(c -> c == '\r' || c == '\n' || c == 0);
    assertEquals(clean, check.finish() == ContentDefect.NONE, printable(data));
  }

  /** Feeds the stream in pieces of random size, each into an array of its own. */
  private static Decoded decode(byte[] stream, Random random) {
    DataDecoder decoder = new DataDecoder();
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    int at = 0;
    while (at < stream.length) {
      int n = 1 + random.nextInt(Math.min(stream.length - at, random.nextBoolean() ? 3 : 40));
      int offset = random.nextInt(5);
      byte[] piece = new byte[offset + n];
      System.arraycopy(stream, at, piece, offset, n);
      boolean ended = decoder.decode(piece, offset, offset + n);
      content.write(piece, offset, decoder.contentEnd() - offset);
      at += decoder.consumed() - offset;
      if (ended) {
        break;
      }
    }
    return new Decoded(
        content.toString(StandardCharsets.ISO_8859_1), decoder.defect(), decoder.ended(), at);
  }

  private static String printable(String text) {
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0");
  }
}
