package net.postern.mime;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Encoded-words, {@code =?charset?B or Q?text?=} (RFC 2047).
 *
 * <p>Read as mail programs do: also next to other text and over 75 characters; neighbours of one
 * charset and encoding are joined before decoding, because senders cut characters in two.
 */
public final class EncodedWords {
  private EncodedWords() {}

  /** Decodes all encoded-words of a text; what is none stays as it is. Never fails. Linear. */
  public static String decode(String text) {
    int open = text.indexOf("=?");
    if (open < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    ByteArrayOutputStream pending = new ByteArrayOutputStream();
    String charset = "";
    int copied = 0;
    int from = open;
    while (from >= 0) {
      Word word = wordAt(text, from);
      if (word == null) {
        from = text.indexOf("=?", from + 2);
        continue;
      }
      boolean adjacent = pending.size() > 0 && isBlank(text, copied, from);
      if (!adjacent || !word.charset.equals(charset)) {
        flush(pending, charset, out);
        if (!adjacent) {
          out.append(text, copied, from);
        }
        charset = word.charset;
      }
      pending.writeBytes(word.bytes);
      copied = word.end;
      from = text.indexOf("=?", copied);
    }
    flush(pending, charset, out);
    return out.append(text, copied, text.length()).toString();
  }

  /**
   * Writes a text as encoded-words of at most 75 characters, one space between them, in UTF-8 and
   * base64 (RFC 2047 §2), each whole in its characters (RFC 2047 §5).
   */
  public static String encode(String text) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (from < text.length()) {
      int to = from;
      int octets = 0;
      while (to < text.length()) {
        int codePoint = text.codePointAt(to);
        int size = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        if (octets + size > 45) { // 60 characters of base64 and 12 around them
          break;
        }
        octets += size;
        to += Character.charCount(codePoint);
      }
      byte[] bytes = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
      out.append(out.isEmpty() ? "" : " ")
          .append("=?UTF-8?B?")
          .append(Base64.getEncoder().encodeToString(bytes))
          .append("?=");
      from = to;
    }
    return out.toString();
  }

  private record Word(String charset, byte[] bytes, int end) {}

  private static @Nullable Word wordAt(String text, int start) {
    int first = text.indexOf('?', start + 2);
    // Charset names are short: a bound on the look ahead keeps "=?=?=?..." linear.
    if (first < 0 || first - start > 80 || first + 2 >= text.length()) {
      return null;
    }
    if (text.charAt(first + 2) != '?') {
      return null;
    }
    char encoding = text.charAt(first + 1);
    int from = first + 3;
    int end = from;
    while (end < text.length() && text.charAt(end) != '?') {
      end++;
    }
    if (end + 1 >= text.length() || text.charAt(end + 1) != '=') {
      return null;
    }
    String charset = text.substring(start + 2, first).toLowerCase(Locale.ROOT);
    int language = charset.indexOf('*'); // RFC 2231 §5
    byte[] coded = text.substring(from, end).getBytes(StandardCharsets.UTF_8);
    byte[] bytes =
        switch (encoding) {
          case 'b', 'B' ->
              new DecodedStream(coded, 0, coded.length, TransferEncoding.BASE64)
                  .drain(coded.length);
          case 'q', 'Q' -> decodeQ(coded);
          default -> null;
        };
    return bytes == null
        ? null
        : new Word(language < 0 ? charset : charset.substring(0, language), bytes, end + 2);
  }

  private static byte[] decodeQ(byte[] in) {
    byte[] out = new byte[in.length];
    int n = 0;
    for (int i = 0; i < in.length; i++) {
      if (in[i] == '=' && i + 2 < in.length) {
        int high = Ascii.hex(in[i + 1]);
        int low = Ascii.hex(in[i + 2]);
        if (high >= 0 && low >= 0) {
          out[n++] = (byte) (high << 4 | low);
          i += 2;
          continue;
        }
      }
      out[n++] = in[i] == '_' ? (byte) ' ' : in[i];
    }
    return Arrays.copyOf(out, n);
  }

  private static void flush(ByteArrayOutputStream pending, String charset, StringBuilder out) {
    if (pending.size() > 0) {
      byte[] bytes = pending.toByteArray();
      out.append(Charsets.decode(bytes, 0, bytes.length, charset));
      pending.reset();
    }
  }

  private static boolean isBlank(String text, int from, int to) {
    for (int i = from; i < to; i++) {
      if (text.charAt(i) > ' ') {
        return false;
      }
    }
    return true;
  }
}
