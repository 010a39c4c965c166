package net.postern.observe;

import java.util.List;

/**
 * Builds the fields of one log line. Values come from remote peers: each form escapes them so that
 * a value ends where it ends, and a line is a line. Not safe for several threads; make one for a
 * line.
 */
abstract sealed class Fields permits LogfmtFields, JsonFields {

  /** Longer values are cut, with {@code ...} after them. Characters. */
  static final int MAX_VALUE = 1_000;

  /** Longer lists are cut, with the number of the others as the last element. */
  static final int MAX_LIST = 50;

  final StringBuilder out = new StringBuilder(400);

  /** Begins a field: what stands before its value. */
  abstract void name(String name);

  abstract Fields text(String name, String value);

  /** An address in angle brackets; the null reverse-path is {@code <>}. */
  abstract Fields address(String name, String value);

  abstract Fields addresses(String name, List<String> values);

  abstract Fields texts(String name, List<String> values);

  final Fields number(String name, long value) {
    name(name);
    out.append(value);
    return this;
  }

  /** With two decimals. */
  final Fields decimal(String name, double value) {
    name(name);
    appendDecimal(out, value);
    return this;
  }

  final Fields flag(String name, boolean value) {
    name(name);
    out.append(value);
    return this;
  }

  /** What was built. */
  final String line() {
    return out.toString();
  }

  /** Whether a character may stand in a line as it is, as far as forging and terminals go. */
  static boolean isPlain(int c) {
    if (c < 0x7f) {
      return c >= 0x20;
    }
    return switch (Character.getType(c)) {
      // Format covers what turns the direction of text; these would show something that is not so.
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }

  /** Appends a UTF-16 unit as JSON and logfmt readers know it: {@code \}{@code u001b}. */
  static void appendHex(StringBuilder out, char c) {
    out.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      out.append(Character.forDigit((c >> shift) & 0xf, 16));
    }
  }

  /** Appends with escapes inside double quotes, cut at {@link #MAX_VALUE}. */
  static void appendEscaped(StringBuilder out, String value) {
    int end = Math.min(value.length(), MAX_VALUE);
    for (int i = 0; i < end; ) {
      int c = value.codePointAt(i);
      int units = Character.charCount(c);
      if (c == '"' || c == '\\') {
        out.append('\\').append((char) c);
      } else if (c == '\n') {
        out.append("\\n");
      } else if (isPlain(c)) {
        out.appendCodePoint(c);
      } else {
        for (int j = 0; j < units; j++) {
          appendHex(out, value.charAt(i + j));
        }
      }
      i += units;
    }
    if (value.length() > MAX_VALUE) {
      out.append("...");
    }
  }

  /** Appends a number with two decimals, without the cost of a formatter. */
  static void appendDecimal(StringBuilder out, double value) {
    long hundredths = Math.round(value * 100);
    if (hundredths < 0) {
      out.append('-');
      hundredths = -hundredths;
    }
    out.append(hundredths / 100).append('.');
    long rest = hundredths % 100;
    if (rest < 10) {
      out.append('0');
    }
    out.append(rest);
  }
}
