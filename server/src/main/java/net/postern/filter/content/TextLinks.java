package net.postern.filter.content;

import java.util.List;

/** Finds web addresses in plain text. Linear. */
public final class TextLinks {
  private TextLinks() {}

  /** Adds each http and https address of the text, bounded by {@link Link#MAX_LINKS}. */
  public static void find(String text, List<Link> out) {
    int found = 0;
    int at = text.indexOf("://");
    while (at >= 0 && found < Link.MAX_LINKS) {
      int start = at - 4;
      if (start >= 0 && (text.charAt(at - 1) == 's' || text.charAt(at - 1) == 'S')) {
        start--;
      }
      int end = at + 3;
      if (start >= 0 && text.regionMatches(true, start, "http", 0, 4)) {
        while (end < text.length() && end - start < Link.MAX_URL && isUrlChar(text.charAt(end))) {
          end++;
        }
        int stop = end;
        while (stop > at + 3 && ".,;:!?)'".indexOf(text.charAt(stop - 1)) >= 0) {
          stop--;
        }
        if (stop > at + 3) {
          String url = text.substring(start, stop);
          out.add(Link.of(url, url, false));
          found++;
        }
      }
      at = text.indexOf("://", end);
    }
  }

  private static boolean isUrlChar(char c) {
    return c > ' ' && c != '<' && c != '>' && c != '"' && c != 0xa0 && c != ']' && c != 0x3000;
  }
}
