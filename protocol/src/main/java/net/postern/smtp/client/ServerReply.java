package net.postern.smtp.client;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A server's reply (RFC 5321 §4.2).
 *
 * @param code 200 to 599
 * @param lines text of each line without code, separator and line end; at least one, may be empty
 */
public record ServerReply(int code, List<String> lines) {
  // RFC 3463 §2: class, subject and detail of up to three digits.
  private static final Pattern ENHANCED =
      Pattern.compile("([245]\\.\\d{1,3}\\.\\d{1,3})(?:[ \\t].*|)", Pattern.DOTALL);

  public ServerReply {
    lines = List.copyOf(lines);
  }

  /** Done as asked. */
  public boolean isPositive() {
    return code >= 200 && code < 300;
  }

  /** No for good (RFC 5321 §4.2.1). */
  public boolean isPermanent() {
    return code >= 500;
  }

  /** The status code of RFC 3463, where the text begins with one of the reply's own class. */
  public Optional<String> enhanced() {
    Matcher matcher = ENHANCED.matcher(lines.getFirst());
    return matcher.matches() && matcher.group(1).charAt(0) - '0' == code / 100
        ? Optional.of(matcher.group(1))
        : Optional.empty();
  }

  /** The text of all lines, for people and logs; control characters as question marks. */
  public String text() {
    String joined = lines.size() == 1 ? lines.getFirst() : String.join(" / ", lines);
    for (int i = 0; i < joined.length(); i++) {
      if (isControl(joined.charAt(i))) {
        return cleaned(joined);
      }
    }
    return joined;
  }

  /** Code and text in one line. */
  @Override
  public String toString() {
    return code + " " + text();
  }

  private static String cleaned(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      out.append(isControl(text.charAt(i)) ? '?' : text.charAt(i));
    }
    return out.toString();
  }

  private static boolean isControl(char c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
  }
}
