package net.postern.mime;

/** Byte classes of mail grammar. */
final class Ascii {
  private Ascii() {}

  static int lower(byte b) {
    return b >= 'A' && b <= 'Z' ? b + 32 : b;
  }

  /** Space, tab, CR or LF. */
  static boolean isSpace(byte b) {
    return b == ' ' || b == '\t' || b == '\r' || b == '\n';
  }

  static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  static int hex(int c) {
    if (c >= '0' && c <= '9') {
      return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }

  /** Offset after the LF that ends the line at {@code from}, or {@code limit}. */
  static int nextLine(byte[] b, int from, int limit) {
    for (int i = from; i < limit; i++) {
      if (b[i] == '\n') {
        return i + 1;
      }
    }
    return limit;
  }

  /** End of the line {@code [from, next)} without its CRLF or LF. */
  static int lineEnd(byte[] b, int from, int next) {
    int end = next;
    if (end > from && b[end - 1] == '\n') {
      end--;
      if (end > from && b[end - 1] == '\r') {
        end--;
      }
    }
    return end;
  }
}
