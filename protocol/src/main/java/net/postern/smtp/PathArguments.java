package net.postern.smtp;

import java.util.ArrayList;
import java.util.List;

/**
 * A path and the ESMTP parameters after it, as {@code MAIL} and {@code RCPT} have them (RFC 5321
 * §4.1.2).
 *
 * @param path what stands between the angle brackets, without a source route
 * @param nonAscii whether the path has characters that take SMTPUTF8
 */
record PathArguments(String path, boolean nonAscii, List<String> parameters) {

  /** RFC 5321 §4.5.3.1.3: 256 octets with punctuation; source routes made it longer once. */
  private static final int MAX_PATH = 1000;

  private static final int MAX_PARAMETERS = 16;

  /**
   * @param keyword {@code FROM:} or {@code TO:}, compared without case
   */
  static Parsed<PathArguments> parse(String text, String keyword) {
    if (!text.regionMatches(true, 0, keyword, 0, keyword.length())) {
      return Parsed.bad(501, "5.5.4", "Expected " + keyword + "<address>");
    }
    int open = keyword.length();
    // RFC 5321 §3.3 allows no space after the colon, but many clients put one.
    while (open < text.length() && text.charAt(open) == ' ') {
      open++;
    }
    if (open == text.length() || text.charAt(open) != '<') {
      return Parsed.bad(501, "5.5.4", "Expected " + keyword + "<address>");
    }
    int close = closingBracket(text, open + 1);
    if (close < 0 || close - open > MAX_PATH) {
      return Parsed.bad(501, "5.5.4", "Expected " + keyword + "<address>");
    }
    int pathStart = open + 1;
    if (text.charAt(pathStart) == '@') {
      // RFC 5321 §3.6.1, appendix C: source routes are accepted and ignored.
      int colon = text.indexOf(':', pathStart);
      if (colon < 0 || colon > close || !isRoute(text, pathStart, colon)) {
        return Parsed.bad(501, "5.5.4", "The source route is not valid");
      }
      pathStart = colon + 1;
    }
    String path = text.substring(pathStart, close);
    List<String> parameters = List.of();
    if (close + 1 < text.length()) {
      if (text.charAt(close + 1) != ' ') {
        return Parsed.bad(501, "5.5.4", "A space is missing after the address");
      }
      parameters = words(text, close + 1);
      if (parameters.size() > MAX_PARAMETERS) {
        return Parsed.bad(501, "5.5.4", "Too many parameters");
      }
    }
    return new Parsed.Ok<>(new PathArguments(path, hasNonAscii(path), parameters));
  }

  /** RFC 6531 §3.5: an address that takes SMTPUTF8 without it gets 553 5.6.7. */
  static <T> Parsed<T> needsUtf8() {
    return Parsed.bad(553, "5.6.7", "An address outside ASCII needs SMTPUTF8 at MAIL");
  }

  // RFC 5321 §4.1.2: a quoted local part may hold any bracket, and a backslash quotes one
  // character.
  private static int closingBracket(String text, int from) {
    boolean quoted = false;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted && c == '\\') {
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == '>' && !quoted) {
        return i;
      }
    }
    return -1;
  }

  // RFC 5321 §4.1.2: A-d-l = At-domain *( "," At-domain )
  private static boolean isRoute(String text, int from, int to) {
    boolean expectAt = true;
    int length = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (expectAt) {
        if (c != '@') {
          return false;
        }
        expectAt = false;
        length = 0;
      } else if (c == ',') {
        if (length == 0) {
          return false;
        }
        expectAt = true;
      } else if (c <= 0x20 || "<>@\"\\".indexOf(c) >= 0) {
        return false;
      } else {
        length++;
      }
    }
    return !expectAt && length > 0;
  }

  private static List<String> words(String text, int from) {
    List<String> words = new ArrayList<>(3);
    int i = from;
    while (i < text.length()) {
      while (i < text.length() && text.charAt(i) == ' ') {
        i++;
      }
      int start = i;
      while (i < text.length() && text.charAt(i) != ' ') {
        i++;
      }
      if (i > start) {
        words.add(text.substring(start, i));
      }
    }
    return words;
  }

  private static boolean hasNonAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0x7f) {
        return true;
      }
    }
    return false;
  }
}
