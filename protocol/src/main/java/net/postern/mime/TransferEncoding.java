package net.postern.mime;

import java.util.Optional;

/** Content-Transfer-Encoding (RFC 2045 §6). */
public enum TransferEncoding {
  SEVEN_BIT("7bit"),
  EIGHT_BIT("8bit"),
  BINARY("binary"),
  QUOTED_PRINTABLE("quoted-printable"),
  BASE64("base64");

  private final String label;

  TransferEncoding(String label) {
    this.label = label;
  }

  /** The name in the header field. */
  public String label() {
    return label;
  }

  /** Whether the content is the bytes as they stand. */
  public boolean isIdentity() {
    return this != QUOTED_PRINTABLE && this != BASE64;
  }

  /** Reads the value of the field, with white space, quotes and comments around it forgiven. */
  static Optional<TransferEncoding> named(String value) {
    int from = 0;
    int to = value.length();
    while (from < to && !isTokenChar(value.charAt(from))) {
      from++;
    }
    int end = from;
    while (end < to && isTokenChar(value.charAt(end))) {
      end++;
    }
    for (TransferEncoding encoding : values()) {
      if (encoding.label.length() == end - from
          && encoding.label.regionMatches(true, 0, value, from, end - from)) {
        return Optional.of(encoding);
      }
    }
    return Optional.empty();
  }

  private static boolean isTokenChar(char c) {
    return c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  }
}
