package net.postern.filter.content;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a reader of an HTML part sees, and what the part holds besides.
 *
 * @param visible text as shown, without invisible characters
 * @param hiddenLength characters of text inside elements that a style hides
 * @param links targets of anchors, areas and forms, with their text
 * @param images how many img elements, those of one pixel not counted
 * @param forms how many form elements
 * @param asksPassword whether an input takes a password
 * @param hasScript whether a script element or frame is there
 * @param joiners zero-width characters between two letters: words cut so that filters miss them
 */
public record HtmlText(
    String visible,
    int hiddenLength,
    List<Link> links,
    int images,
    int forms,
    boolean asksPassword,
    boolean hasScript,
    int joiners) {

  public HtmlText {
    links = List.copyOf(links);
  }

  /** Reads markup as browsers do, roughly; never fails. Linear. */
  public static HtmlText read(String html) {
    return new Reader(html).read();
  }

  private static final Map<String, Integer> ENTITIES =
      Map.of(
          "amp",
          (int) '&',
          "lt",
          (int) '<',
          "gt",
          (int) '>',
          "quot",
          (int) '"',
          "apos",
          (int) '\'',
          "nbsp",
          (int) ' ',
          "shy",
          0xad,
          "zwnj",
          0x200c,
          "zwj",
          0x200d);

  private static final Set<String> SKIPPED = Set.of("style", "script", "title", "noscript", "xml");
  private static final Set<String> VOID =
      Set.of("br", "img", "hr", "input", "meta", "link", "area", "base", "col", "wbr", "source");
  private static final Set<String> INLINE =
      Set.of("a", "b", "i", "u", "em", "strong", "span", "font", "small", "big", "wbr", "sup");
  private static final int MAX_SHOWN = 300;
  private static final int MAX_TAG_NAME = 20;

  private static final class Reader {
    private final String html;
    private final StringBuilder visible;
    private final List<Link> links = new ArrayList<>();
    private int hiddenLength;
    private int images;
    private int forms;
    private boolean asksPassword;
    private boolean hasScript;
    private int joiners;

    private String hiddenBy = "";
    private int hiddenDepth;
    private String target = "";
    private int targetFrom;
    private boolean noQuotes;
    private boolean noCommentEnd;

    // attributes of the tag just read
    private String href = "";
    private String src = "";
    private String style = "";
    private String type = "";
    private String action = "";
    private String width = "";
    private String height = "";
    private boolean hiddenAttribute;

    private Reader(String html) {
      this.html = html;
      this.visible = new StringBuilder(html.length() / 4);
    }

    private HtmlText read() {
      int n = html.length();
      int i = 0;
      while (i < n) {
        char c = html.charAt(i);
        if (c == '<' && i + 1 < n && startsTag(html.charAt(i + 1))) {
          i = tag(i);
        } else if (c == '&') {
          i = entity(i);
        } else {
          text(c);
          i++;
        }
      }
      closeLink();
      return new HtmlText(
          visible.toString(), hiddenLength, links, images, forms, asksPassword, hasScript, joiners);
    }

    private static boolean startsTag(char c) {
      return c == '/' || c == '!' || c == '?' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }

    private void text(int c) {
      if (hiddenDepth > 0) {
        if (c > ' ') {
          hiddenLength++;
        }
        return;
      }
      if (isInvisible(c)) {
        if (!visible.isEmpty() && isLatin(visible.charAt(visible.length() - 1))) {
          joiners++;
        }
        return;
      }
      if (c <= ' ' || c == 0xa0) {
        blank();
      } else {
        visible.appendCodePoint(c);
      }
    }

    private static boolean isLatin(char c) {
      return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    }

    private static boolean isInvisible(int c) {
      return c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff || c == 0x34f;
    }

    private void blank() {
      int n = visible.length();
      if (n > 0 && visible.charAt(n - 1) != ' ') {
        visible.append(' ');
      }
    }

    private int entity(int at) {
      int end = at + 1;
      while (end < html.length() && end - at < 10 && isEntityChar(html.charAt(end))) {
        end++;
      }
      String name = html.substring(at + 1, end);
      int code = -1;
      if (name.startsWith("#")) {
        boolean hex = name.length() > 1 && (name.charAt(1) | 0x20) == 'x';
        try {
          code = Integer.parseInt(name.substring(hex ? 2 : 1), hex ? 16 : 10);
        } catch (NumberFormatException e) {
          code = -1;
        }
        if (!Character.isValidCodePoint(code) || (code >= 0xd800 && code < 0xe000)) {
          code = -1;
        }
      } else {
        code = ENTITIES.getOrDefault(name, -1);
      }
      if (code < 0) {
        text('&');
        return at + 1;
      }
      text(code);
      return end < html.length() && html.charAt(end) == ';' ? end + 1 : end;
    }

    private static boolean isEntityChar(char c) {
      return c == '#' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }

    /** Reads the tag at {@code at}; returns the offset after it. */
    private int tag(int at) {
      if (html.startsWith("<!--", at)) {
        int end = noCommentEnd ? -1 : html.indexOf("-->", at + 4);
        if (end >= 0) {
          return end + 3;
        }
        noCommentEnd = true;
      }
      boolean closing = html.charAt(at + 1) == '/';
      int nameStart = at + (closing ? 2 : 1);
      int p = nameStart;
      while (p < html.length() && p - nameStart < MAX_TAG_NAME && isEntityChar(html.charAt(p))) {
        p++;
      }
      String name = html.substring(nameStart, p).toLowerCase(Locale.ROOT);
      int end = tagEnd(p);
      if (!INLINE.contains(name)) {
        blank();
      }
      if (closing) {
        close(name);
        return end;
      }
      if (SKIPPED.contains(name)) {
        hasScript |= name.equals("script");
        return skipTo(name, end);
      }
      attributes(p, end);
      open(name);
      return end;
    }

    private int tagEnd(int from) {
      char quote = 0;
      for (int i = from; i < html.length(); i++) {
        char c = html.charAt(i);
        if (quote != 0) {
          if (c == quote) {
            quote = 0;
          }
        } else if (!noQuotes && (c == '"' || c == '\'') && html.charAt(i - 1) == '=') {
          quote = c;
        } else if (c == '>') {
          return i + 1;
        }
      }
      if (quote != 0) {
        noQuotes = true; // an open quote to the end of the text: from here on quotes do not count
        return tagEnd(from);
      }
      return html.length();
    }

    private int skipTo(String name, int from) {
      int i = html.indexOf("</", from);
      while (i >= 0) {
        if (html.regionMatches(true, i + 2, name, 0, name.length())) {
          return tagEnd(i + 2 + name.length());
        }
        i = html.indexOf("</", i + 2);
      }
      return html.length();
    }

    private void open(String name) {
      if (hiddenDepth > 0 && name.equals(hiddenBy)) {
        hiddenDepth++;
      } else if (hiddenDepth == 0
          && !VOID.contains(name)
          && (hiddenAttribute || (!style.isEmpty() && hides(style)))) {
        hiddenBy = name;
        hiddenDepth = 1;
      }
      switch (name) {
        case "a", "area" -> {
          closeLink();
          target = href;
          targetFrom = visible.length();
        }
        case "img" -> {
          if (!isPixel(width) && !isPixel(height)) {
            images++;
          }
        }
        case "form" -> {
          forms++;
          if (!action.isEmpty()) {
            addLink(action, "");
          }
        }
        case "input" -> asksPassword |= type.equalsIgnoreCase("password");
        case "iframe", "object", "embed", "frame" -> hasScript = true;
        default -> {}
      }
    }

    private void close(String name) {
      if (hiddenDepth > 0 && name.equals(hiddenBy)) {
        hiddenDepth--;
      }
      if (name.equals("a")) {
        closeLink();
      }
    }

    private void closeLink() {
      if (!target.isEmpty()) {
        int from = Math.min(targetFrom, visible.length());
        int to = Math.min(visible.length(), from + MAX_SHOWN);
        addLink(target, visible.substring(from, to).trim());
        target = "";
      }
    }

    private void addLink(String url, String shown) {
      if (links.size() < Link.MAX_LINKS) {
        links.add(Link.of(url.strip(), shown, true));
      }
    }

    private static boolean isPixel(String size) {
      return size.equals("1") || size.equals("0") || size.equals("1px");
    }

    private static boolean hides(String style) {
      String s = style.toLowerCase(Locale.ROOT).replace(" ", "");
      return s.contains("display:none")
          || s.contains("visibility:hidden")
          || s.contains("font-size:0;")
          || s.contains("font-size:0px")
          || s.endsWith("font-size:0")
          || s.contains("opacity:0;")
          || s.endsWith("opacity:0");
    }

    private void attributes(int from, int end) {
      href = "";
      src = "";
      style = "";
      type = "";
      action = "";
      width = "";
      height = "";
      hiddenAttribute = false;
      int i = from;
      int stop = end > from && html.charAt(end - 1) == '>' ? end - 1 : end;
      while (i < stop) {
        while (i < stop && (html.charAt(i) <= ' ' || html.charAt(i) == '/')) {
          i++;
        }
        int nameStart = i;
        while (i < stop && html.charAt(i) > ' ' && html.charAt(i) != '=') {
          i++;
        }
        int nameEnd = i;
        while (i < stop && html.charAt(i) <= ' ') {
          i++;
        }
        int valueStart = i;
        int valueEnd = i;
        if (i < stop && html.charAt(i) == '=') {
          i++;
          while (i < stop && html.charAt(i) <= ' ') {
            i++;
          }
          if (i < stop && !noQuotes && (html.charAt(i) == '"' || html.charAt(i) == '\'')) {
            int close = html.indexOf(html.charAt(i), i + 1);
            valueStart = i + 1;
            valueEnd = close < 0 || close > stop ? stop : close;
            i = Math.min(stop, valueEnd + 1);
          } else {
            valueStart = i;
            while (i < stop && html.charAt(i) > ' ') {
              i++;
            }
            valueEnd = i;
          }
        }
        if (nameEnd > nameStart) {
          attribute(nameStart, nameEnd - nameStart, valueStart, valueEnd);
        }
      }
    }

    private void attribute(int start, int length, int valueStart, int valueEnd) {
      switch (length) {
        case 3 -> src = value("src", start, valueStart, valueEnd, src);
        case 4 -> {
          href = value("href", start, valueStart, valueEnd, href);
          type = value("type", start, valueStart, valueEnd, type);
        }
        case 5 -> {
          style = value("style", start, valueStart, valueEnd, style);
          width = value("width", start, valueStart, valueEnd, width);
        }
        case 6 -> {
          action = value("action", start, valueStart, valueEnd, action);
          height = value("height", start, valueStart, valueEnd, height);
          hiddenAttribute |= html.regionMatches(true, start, "hidden", 0, 6);
        }
        default -> {}
      }
    }

    private String value(String name, int start, int valueStart, int valueEnd, String before) {
      if (!html.regionMatches(true, start, name, 0, name.length()) || !before.isEmpty()) {
        return before;
      }
      String raw = html.substring(valueStart, valueEnd);
      return raw.indexOf('&') < 0 ? raw : raw.replace("&amp;", "&");
    }
  }
}
