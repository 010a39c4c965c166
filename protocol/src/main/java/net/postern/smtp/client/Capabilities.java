package net.postern.smtp.client;

import java.util.Locale;
import net.postern.smtp.Reply;

/**
 * What a server said it can do (RFC 5321 §4.1.1.1), as far as a sender uses it.
 *
 * @param maxSize largest message in bytes (RFC 1870 §4); 0 when the server named none
 */
public record Capabilities(
    boolean pipelining,
    boolean size,
    long maxSize,
    boolean eightBitMime,
    boolean utf8,
    boolean startTls) {

  /** A server that only knows HELO. */
  public static final Capabilities NONE = new Capabilities(false, false, 0, false, false, false);

  /** Reads the reply to EHLO. Unknown keywords are passed over. */
  static Capabilities of(Reply ehlo) {
    boolean pipelining = false;
    boolean size = false;
    long maxSize = 0;
    boolean eightBitMime = false;
    boolean utf8 = false;
    boolean startTls = false;
    for (String line : ehlo.lines().subList(1, ehlo.lines().size())) {
      int space = line.indexOf(' ');
      String keyword = (space < 0 ? line : line.substring(0, space)).toUpperCase(Locale.ROOT);
      switch (keyword) {
        case "PIPELINING" -> pipelining = true;
        case "SIZE" -> {
          size = true;
          maxSize = space < 0 ? 0 : number(line.substring(space + 1).strip());
        }
        case "8BITMIME" -> eightBitMime = true;
        case "SMTPUTF8" -> utf8 = true;
        case "STARTTLS" -> startTls = true;
        default -> {}
      }
    }
    return new Capabilities(pipelining, size, maxSize, eightBitMime, utf8, startTls);
  }

  private static long number(String text) {
    if (text.isEmpty() || text.length() > 18) {
      return 0;
    }
    return text.chars().allMatch(c -> c >= '0' && c <= '9') ? Long.parseLong(text) : 0;
  }
}
