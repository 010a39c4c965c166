package net.postern.sasl;

import java.text.Normalizer;
import java.util.Optional;

/**
 * Brings names and passwords to one form, so that the same password typed on another keyboard is
 * the same (RFC 4013). Departures: characters that Unicode gained after version 3.2 are taken, and
 * the rules for text in two directions (RFC 3454 §6) are not asked for; both only make more
 * passwords possible.
 */
public final class Saslprep {
  /** Longest text, in UTF-16 units. */
  public static final int MAX_LENGTH = 1024;

  private Saslprep() {}

  /**
   * The prepared form.
   *
   * @return empty when the text is empty, longer than {@link #MAX_LENGTH}, or holds what is
   *     prohibited, such as control characters
   */
  public static Optional<String> prepare(String text) {
    if (text.isEmpty() || text.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    StringBuilder mapped = new StringBuilder(text.length());
    boolean ascii = true;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (c < 0x80) {
        mapped.append((char) c);
      } else {
        ascii = false;
        // RFC 4013 §2.1: other spaces become a space, what is "commonly mapped to nothing" goes.
        if (Character.getType(c) == Character.SPACE_SEPARATOR) {
          mapped.append(' ');
        } else if (!isNothing(c)) {
          mapped.appendCodePoint(c);
        }
      }
    }
    // RFC 4013 §2.2: form KC.
    String normal = ascii ? mapped.toString() : Normalizer.normalize(mapped, Normalizer.Form.NFKC);
    return normal.isEmpty() || normal.codePoints().anyMatch(Saslprep::isProhibited)
        ? Optional.empty()
        : Optional.of(normal);
  }

  // RFC 3454, table B.1.
  private static boolean isNothing(int c) {
    return c == 0xad
        || c == 0x34f
        || c == 0x1806
        || (c >= 0x180b && c <= 0x180d)
        || (c >= 0x200b && c <= 0x200d)
        || c == 0x2060
        || (c >= 0xfe00 && c <= 0xfe0f)
        || c == 0xfeff;
  }

  // RFC 4013 §2.3.
  private static boolean isProhibited(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.PRIVATE_USE ->
          true;
      default -> (c & 0xfffe) == 0xfffe || c == 0xfffd;
    };
  }
}
