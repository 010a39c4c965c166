package net.postern.auth;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.postern.dns.DnsNames;

/**
 * A text with macros (RFC 7208 §7), read once and expanded for each question.
 *
 * @param parts in their order
 */
record SpfText(List<Part> parts) {
  /** What a text is for: it decides which characters and macros are allowed. */
  enum Use {
    /** A name to look up: {@code domain-spec}. */
    DOMAIN,
    /** The value of a modifier that nobody knows: {@code macro-string}. */
    MODIFIER,
    /** The explanation itself: {@code explain-string}. */
    EXPLANATION
  }

  sealed interface Part {
    /** Stands for itself. */
    record Literal(String text) implements Part {}

    /**
     * Stands for a part of the question (RFC 7208 §7.3).
     *
     * @param letter in lower case
     * @param escaped whether what is not plain is written as in URLs
     * @param keep how many parts are kept, from the right
     * @param reversed whether parts are turned round before
     * @param delimiters between parts; they become dots
     */
    record Macro(char letter, boolean escaped, int keep, boolean reversed, String delimiters)
        implements Part {}
  }

  /** Says what a macro letter stands for. */
  @FunctionalInterface
  interface Values {
    String of(char letter) throws SpfStopException;
  }

  /** Longest text that macros may make, in characters: some names, or a long explanation. */
  private static final int MAX_EXPANDED = 32 * 1024;

  private static final String LETTERS = "slodipvh";
  private static final String EXPLANATION_LETTERS = "crt";
  private static final String DELIMITERS = ".-+,/_=";
  private static final String UNRESERVED = "-._~";

  /** More parts than any value has. */
  private static final int ALL = 1_000;

  /** Reads a text. */
  static SpfText parse(String text, Use use) throws SpfSyntaxException {
    Reader reader = new Reader(text, use);
    reader.read();
    if (use == Use.DOMAIN) {
      requireDomainEnd(text, reader.lastMacroEnd);
    }
    return new SpfText(List.copyOf(reader.parts));
  }

  /** With all macros replaced. */
  String expand(Values values) throws SpfStopException {
    StringBuilder out = new StringBuilder();
    for (Part part : parts) {
      switch (part) {
        case Part.Literal(String text) -> out.append(text);
        case Part.Macro macro -> out.append(expand(macro, values.of(macro.letter())));
      }
      if (out.length() > MAX_EXPANDED) {
        throw new SpfStopException(SpfResult.Code.PERMERROR, "macros make too long a text");
      }
    }
    return out.toString();
  }

  /**
   * With all macros replaced, as a name to look up: without the final dot, and labels from the left
   * left out until it is no longer than the DNS allows (RFC 7208 §7.3).
   */
  String expandName(Values values) throws SpfStopException {
    String name = DnsNames.canonical(expand(values));
    int excess = name.length() - DnsNames.MAX_NAME;
    if (excess <= 0) {
      return name;
    }
    // In one step: an attacker's record makes names of a million octets and as many labels.
    int dot = name.indexOf('.', excess - 1);
    return name.substring((dot < 0 ? name.lastIndexOf('.') : dot) + 1);
  }

  private static String expand(Part.Macro macro, String value) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= value.length(); i++) {
      if (i == value.length() || macro.delimiters().indexOf(value.charAt(i)) >= 0) {
        parts.add(value.substring(start, i));
        start = i + 1;
      }
    }
    if (macro.reversed()) {
      Collections.reverse(parts);
    }
    String joined =
        String.join(".", parts.subList(Math.max(0, parts.size() - macro.keep()), parts.size()));
    return macro.escaped() ? escaped(joined) : joined;
  }

  // RFC 3986 §2.3
  private static String escaped(String text) {
    StringBuilder out = new StringBuilder(text.length() + 8);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (isLetter(c) || isDigit(c) || UNRESERVED.indexOf(c) >= 0) {
        out.append(c);
      } else {
        out.append('%')
            .append(Character.toUpperCase(Character.forDigit(c >> 4, 16)))
            .append(Character.toUpperCase(Character.forDigit(c & 0xf, 16)));
      }
    }
    return out.toString();
  }

  // domain-end = ( "." toplabel [ "." ] ) / macro-expand (RFC 7208 §7.1)
  private static void requireDomainEnd(String text, int lastMacroEnd) throws SpfSyntaxException {
    if (text.isEmpty()) {
      throw new SpfSyntaxException("a domain is missing");
    }
    if (lastMacroEnd == text.length()) {
      return;
    }
    String end = text.substring(lastMacroEnd);
    if (end.endsWith(".")) {
      end = end.substring(0, end.length() - 1);
    }
    int dot = end.lastIndexOf('.');
    if (dot < 0 || !isTopLabel(end.substring(dot + 1))) {
      throw new SpfSyntaxException("\"" + text + "\" is no domain");
    }
  }

  private static boolean isTopLabel(String label) {
    boolean digits = true;
    for (int i = 0; i < label.length(); i++) {
      char c = label.charAt(i);
      if (!isLetter(c) && !isDigit(c) && c != '-') {
        return false;
      }
      digits &= isDigit(c);
    }
    return !digits && !label.startsWith("-") && !label.endsWith("-");
  }

  static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  /** Goes over a text once. */
  private static final class Reader {
    final List<Part> parts = new ArrayList<>();
    int lastMacroEnd;
    private final String text;
    private final Use use;
    private int at;

    Reader(String text, Use use) {
      this.text = text;
      this.use = use;
    }

    void read() throws SpfSyntaxException {
      int literal = 0;
      while (at < text.length()) {
        char c = text.charAt(at);
        if (c != '%') {
          boolean visible = c > ' ' && c < 0x7f;
          if (!visible && (c != ' ' || use != Use.EXPLANATION)) {
            throw new SpfSyntaxException("it has a character that is not allowed");
          }
          at++;
          continue;
        }
        literal(literal);
        macro();
        lastMacroEnd = at;
        literal = at;
      }
      literal(literal);
    }

    private void literal(int from) {
      if (at > from) {
        parts.add(new Part.Literal(text.substring(from, at)));
      }
    }

    private void macro() throws SpfSyntaxException {
      switch (at + 1 < text.length() ? text.charAt(at + 1) : ' ') {
        case '%' -> escape("%");
        case '_' -> escape(" ");
        case '-' -> escape("%20");
        case '{' -> braces();
        default -> throw new SpfSyntaxException("a % stands alone; %% would be one");
      }
    }

    private void escape(String means) {
      parts.add(new Part.Literal(means));
      at += 2;
    }

    private void braces() throws SpfSyntaxException {
      int close = text.indexOf('}', at);
      if (close < 0) {
        throw new SpfSyntaxException("a macro has no end");
      }
      String macro = text.substring(at, close + 1);
      at += 2;
      char letter = at < close ? text.charAt(at++) : '}';
      char lower = Character.toLowerCase(letter);
      boolean known =
          letter < 0x7f
              && (LETTERS.indexOf(lower) >= 0
                  || (use != Use.DOMAIN && EXPLANATION_LETTERS.indexOf(lower) >= 0));
      if (!known) {
        throw new SpfSyntaxException("there is no macro " + shown(macro));
      }
      int digits = at;
      int keep = 0;
      while (at < close && isDigit(text.charAt(at))) {
        keep = Math.min(ALL, keep * 10 + (text.charAt(at++) - '0'));
      }
      if (at == digits) {
        keep = ALL;
      } else if (keep == 0) {
        throw new SpfSyntaxException("the macro " + shown(macro) + " keeps nothing");
      }
      boolean reversed = at < close && (text.charAt(at) == 'r' || text.charAt(at) == 'R');
      if (reversed) {
        at++;
      }
      String delimiters = text.substring(at, close);
      for (int i = 0; i < delimiters.length(); i++) {
        if (DELIMITERS.indexOf(delimiters.charAt(i)) < 0) {
          throw new SpfSyntaxException("there is no macro " + shown(macro));
        }
      }
      parts.add(
          new Part.Macro(
              lower, letter != lower, keep, reversed, delimiters.isEmpty() ? "." : delimiters));
      at = close + 1;
    }

    private static String shown(String macro) {
      return macro.length() > 20 ? macro.substring(0, 20) + "..." : macro;
    }
  }
}
