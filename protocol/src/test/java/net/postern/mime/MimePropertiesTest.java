package net.postern.mime;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.Base64;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** What holds for any bytes. */
class MimePropertiesTest {
  private static final List<String> PIECES =
      List.of(
          "Content-Type: multipart/mixed; boundary=a\n",
          "Content-Type: multipart/alternative;\r\n boundary=\"ab\"\r\n",
          "Content-Type: message/rfc822\n",
          "Content-Type: text/html; charset=utf-7; name*0*=x''%41; name*1=b\n",
          "Content-Transfer-Encoding: base64\n",
          "Content-Transfer-Encoding: quoted-printable\r\n",
          "Content-Disposition: attachment; filename=\"=?utf-8?b?QQ==?=\"\n",
          "Subject: =?utf-8?q?=C3=A4?= =?x?b?!!?=\n",
          "From: \"a\\\"b\" <a@b.c>, (x (y) <@r:d@e.f>; g: h@i\n",
          "Date: Mon, 1 Jun 2026 11:58:00 +0000\n",
          "\n",
          "\r\n",
          "--a\n",
          "--a--\r\n",
          "--ab\r\n",
          "--ab--\n",
          "text =\r\n=41=4 \t\n",
          "QUJD=REVG\n",
          "<a href='x'>y</a><!-- <p style=\"display:none\">&#x41;&bogus;",
          "\0",
          "\r",
          " ",
          ":");

  @Provide
  static Arbitrary<byte[]> mails() {
    Arbitrary<String> piece =
        Arbitraries.frequencyOf(
            Tuple.of(9, Arbitraries.of(PIECES)),
            Tuple.of(1, Arbitraries.strings().withCharRange('\0', '\u00ff').ofMaxLength(20)));
    return piece.list().ofMaxSize(60).map(pieces -> String.join("", pieces).getBytes(ISO_8859_1));
  }

  @Property(tries = 2000)
  void any_bytes_parse(@ForAll @Size(max = 300) byte[] bytes) {
    MimeChecks.parseAndCheck(bytes);
  }

  @Property(tries = 3000)
  void any_mixture_of_mail_parses(@ForAll("mails") byte[] bytes) {
    MimeChecks.parseAndCheck(bytes);
  }

  @Property(tries = 1000)
  void adding_header_lines_leaves_all_other_bytes(@ForAll("mails") byte[] bytes) {
    String before = new String(bytes, ISO_8859_1);
    byte[] written =
        HeaderWriter.of(bytes)
            .prepend("X-Test", "one\r\nX-Injected: two")
            .tagSubject("[T]")
            .write();
    String after = new String(written, ISO_8859_1);
    assertTrue(after.startsWith("X-Test: one X-Injected: two"), after);
    String rest = after.substring(after.indexOf('\n') + 1);
    int extra = rest.length() - before.length();
    assertTrue(extra >= 0 && extra <= 20, () -> "grew by " + extra);
    int common = 0;
    while (common < before.length() && before.charAt(common) == rest.charAt(common)) {
      common++;
    }
    assertEquals(before.substring(common), rest.substring(common + extra));
    assertEquals(
        rest,
        new String(
            HeaderWriter.of(rest.getBytes(ISO_8859_1)).tagSubject("[T]").write(), ISO_8859_1),
        "tagging twice is tagging once");
  }

  @Property
  void base64_round_trip(
      @ForAll @Size(max = 2000) byte[] bytes, @ForAll @IntRange(min = 1, max = 50) int step) {
    byte[] coded = Base64.getMimeEncoder().encode(bytes);
    assertArrayEquals(bytes, decode(coded, TransferEncoding.BASE64, step));
  }

  @Property
  void quoted_printable_round_trip(
      @ForAll @Size(max = 2000) byte[] bytes, @ForAll @IntRange(min = 1, max = 50) int step) {
    StringBuilder coded = new StringBuilder();
    int column = 0;
    for (byte b : bytes) {
      String piece = b > ' ' && b < 0x7f && b != '=' ? "" + (char) b : "=%02X".formatted(b & 0xff);
      if (column + piece.length() > 75) {
        coded.append("=\r\n");
        column = 0;
      }
      coded.append(piece);
      column += piece.length();
    }
    assertArrayEquals(
        bytes,
        decode(coded.toString().getBytes(US_ASCII), TransferEncoding.QUOTED_PRINTABLE, step));
  }

  @Property(tries = 500)
  void decoding_in_steps_is_decoding_at_once(
      @ForAll("mails") byte[] bytes, @ForAll @IntRange(min = 1, max = 50) int step) {
    for (TransferEncoding encoding : TransferEncoding.values()) {
      assertArrayEquals(
          new DecodedStream(bytes, 0, bytes.length, encoding).drain(bytes.length),
          decode(bytes, encoding, step));
    }
  }

  @Property(tries = 500)
  void encoded_words_round_trip(@ForAll String text) {
    String plain = new String(text.getBytes(UTF_8), UTF_8);
    String coded = EncodedWords.encode(plain);
    assertEquals(plain, EncodedWords.decode(coded));
    for (String word : coded.split(" ")) {
      assertTrue(word.length() <= 75, word);
    }
  }

  private static byte[] decode(byte[] coded, TransferEncoding encoding, int step) {
    DecodedStream in = new DecodedStream(coded, 0, coded.length, encoding);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] chunk = new byte[step];
    int n;
    while ((n = in.read(chunk, 0, step)) > 0) {
      out.write(chunk, 0, n);
    }
    return out.toByteArray();
  }
}
