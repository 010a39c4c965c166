package net.postern.mime;

import java.nio.charset.StandardCharsets;

/**
 * One header field, as a range of the message. Immutable; text is made when asked for.
 *
 * <p>{@code [start, nameEnd)} is the name, {@code [valueStart, end)} the value with its folding and
 * without the final line end.
 */
public final class HeaderField {
  /** Longest text made from one field, in octets; the rest is cut. */
  public static final int MAX_TEXT = 256 * 1024;

  private final byte[] buffer;
  private final int start;
  private final int nameEnd;
  private final int valueStart;
  private final int end;

  HeaderField(byte[] buffer, int start, int nameEnd, int valueStart, int end) {
    this.buffer = buffer;
    this.start = start;
    this.nameEnd = nameEnd;
    this.valueStart = valueStart;
    this.end = end;
  }

  /** The name as written. */
  public String name() {
    return new String(buffer, start, nameEnd - start, StandardCharsets.ISO_8859_1);
  }

  /** Whether this is the field of that name, without case (RFC 5322 §1.2.2). */
  public boolean is(String name) {
    if (nameEnd - start != name.length()) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      if (Ascii.lower(buffer[start + i]) != Ascii.lower((byte) name.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** Whether the name begins with {@code Content-}: the fields of MIME (RFC 2045 §9). */
  boolean isContentField() {
    return nameEnd - start > 8 && (buffer[start] | 0x20) == 'c' && buffer[start + 7] == '-';
  }

  /** Offset of the first byte of the name. */
  public int start() {
    return start;
  }

  /** Offset after the colon. */
  public int valueStart() {
    return valueStart;
  }

  /** Offset after the last byte of the value, before its line end. */
  public int end() {
    return end;
  }

  /**
   * The value with folding undone (RFC 5322 §2.2.3) and outer white space cut; encoded-words stay.
   * Bytes above 127 are UTF-8 where that is valid, else windows-1252.
   */
  public String text() {
    int from = valueStart;
    int to = Math.min(end, valueStart + MAX_TEXT);
    while (from < to && Ascii.isSpace(buffer[from])) {
      from++;
    }
    while (to > from && Ascii.isSpace(buffer[to - 1])) {
      to--;
    }
    int fold = -1;
    for (int i = from; i < to; i++) {
      if (buffer[i] == '\n' || buffer[i] == '\r') {
        fold = i;
        break;
      }
    }
    if (fold < 0) {
      return Charsets.guess(buffer, from, to - from);
    }
    byte[] out = new byte[to - from];
    int n = fold - from;
    System.arraycopy(buffer, from, out, 0, n);
    for (int i = fold; i < to; i++) {
      if (buffer[i] != '\r' && buffer[i] != '\n') {
        out[n++] = buffer[i];
      }
    }
    return Charsets.guess(out, 0, n);
  }

  /** {@link #text()} with its encoded-words decoded (RFC 2047), for unstructured fields. */
  public String decoded() {
    return EncodedWords.decode(text());
  }

  @Override
  public String toString() {
    return name() + ": " + text();
  }
}
