package net.postern.filter.content;

import java.util.Locale;

/**
 * A web address in a message.
 *
 * @param url as written
 * @param host lower case, without port and user; empty when there is none
 * @param shown text or name the reader sees for it; the URL itself in plain text
 * @param markup whether it comes from HTML, where text and target can differ
 */
public record Link(String url, String host, String shown, boolean markup) {
  /** Longest address kept, in characters. */
  public static final int MAX_URL = 2000;

  /** Most addresses taken from one part. */
  public static final int MAX_LINKS = 1000;

  static Link of(String url, String shown, boolean markup) {
    String kept = url.length() > MAX_URL ? url.substring(0, MAX_URL) : url;
    return new Link(kept, hostOf(kept), shown, markup);
  }

  /** Whether it is http or https. */
  public boolean isWeb() {
    return url.regionMatches(true, 0, "http://", 0, 7)
        || url.regionMatches(true, 0, "https://", 0, 8);
  }

  /** Whether user information stands before the host, as in {@code https://bank.example@evil/}. */
  public boolean hasUser() {
    int start = url.indexOf("//") + 2;
    return start > 1 && url.lastIndexOf('@', authorityEnd(url, start) - 1) >= start;
  }

  /** Host of a URL as browsers find it (WHATWG URL §4.4): a backslash counts as a slash. */
  static String hostOf(String url) {
    int slashes = url.indexOf("//");
    int start = slashes < 0 ? 0 : slashes + 2;
    int end = authorityEnd(url, start);
    int at = url.lastIndexOf('@', end - 1);
    if (at >= start) {
      start = at + 1;
    }
    if (start < end && url.charAt(start) == '[') {
      int close = url.indexOf(']', start);
      return close < 0 || close >= end ? "" : url.substring(start, close + 1);
    }
    int colon = url.indexOf(':', start);
    if (colon >= 0 && colon < end) {
      end = colon;
    }
    while (end > start && url.charAt(end - 1) == '.') {
      end--;
    }
    return url.substring(start, end).toLowerCase(Locale.ROOT);
  }

  private static int authorityEnd(String url, int start) {
    for (int i = start; i < url.length(); i++) {
      char c = url.charAt(i);
      if (c == '/' || c == '\\' || c == '?' || c == '#' || c <= ' ') {
        return i;
      }
    }
    return url.length();
  }
}
