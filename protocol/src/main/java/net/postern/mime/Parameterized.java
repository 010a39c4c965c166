package net.postern.mime;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A value with parameters, {@code text/plain; charset=utf-8} or {@code attachment; filename=a}.
 *
 * @param value lower case, without white space and comments; empty when there is none
 * @param parameters by lower-case name; RFC 2231 continuations joined and decoded
 */
public record Parameterized(String value, Map<String, String> parameters) {
  private static final int MAX_PARAMETERS = 100;
  private static final int MAX_SEGMENTS = 1000;

  /** For a field that is absent. */
  static final Parameterized NONE = new Parameterized("", Map.of());

  /** The parameter of that (lower-case) name; empty text when absent. */
  public String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }

  /** Reads a field as mail programs do; what does not parse is left out and noted. Linear. */
  static Parameterized parse(String text, int offset, DefectLog log) {
    return new Reader(text, offset, log).read();
  }

  /** One piece of an RFC 2231 parameter. */
  private record Segment(String text, boolean encoded) {}

  private static final class Reader {
    private final String text;
    private final int offset;
    private final DefectLog log;
    private int pos;

    private Reader(String text, int offset, DefectLog log) {
      this.text = text;
      this.offset = offset;
      this.log = log;
    }

    private Parameterized read() {
      String value = untilSemicolon().toLowerCase(Locale.ROOT);
      if (pos >= text.length()) {
        return new Parameterized(value, Map.of());
      }
      Map<String, String> plain = new LinkedHashMap<>();
      Map<String, SortedMap<Integer, Segment>> pieces = new LinkedHashMap<>();
      int count = 0;
      while (pos < text.length() && count < MAX_SEGMENTS) {
        pos++; // the semicolon
        int start = pos;
        String name = name();
        if (name.isEmpty() || pos >= text.length() || text.charAt(pos) != '=') {
          String rest = untilSemicolon();
          if (!name.isEmpty() || !rest.isEmpty()) {
            log.add(Defect.PARAMETER_INVALID, offset + start);
          }
          continue;
        }
        pos++;
        count++;
        accept(name, value(), plain, pieces, start);
      }
      Map<String, String> all = new LinkedHashMap<>(plain);
      pieces.forEach(
          (name, segments) -> {
            String joined = join(segments);
            String before = all.put(name, joined);
            if (before != null && !EncodedWords.decode(before).equals(joined)) {
              log.add(Defect.PARAMETER_FORMS_DIFFER, offset);
            }
          });
      return new Parameterized(value, Map.copyOf(all));
    }

    private void accept(
        String name,
        String value,
        Map<String, String> plain,
        Map<String, SortedMap<Integer, Segment>> pieces,
        int start) {
      int star = name.indexOf('*');
      if (star < 0) {
        if (plain.size() >= MAX_PARAMETERS) {
          return;
        }
        // The first of two counts: so read Outlook, Gmail and most libraries.
        if (plain.putIfAbsent(name, value) != null) {
          log.add(Defect.PARAMETER_REPEATED, offset + start);
        }
        return;
      }
      // RFC 2231 §3, §4: name*, name*0, name*0*
      String base = name.substring(0, star);
      boolean encoded = name.endsWith("*");
      String index =
          name.substring(star + 1, Math.max(star + 1, name.length() - (encoded ? 1 : 0)));
      int section = 0;
      if (!index.isEmpty()) {
        if (index.length() > 4 || !index.chars().allMatch(c -> c >= '0' && c <= '9')) {
          log.add(Defect.PARAMETER_INVALID, offset + start);
          return;
        }
        section = Integer.parseInt(index);
      }
      if (pieces.size() >= MAX_PARAMETERS) {
        return;
      }
      Segment before =
          pieces
              .computeIfAbsent(base, k -> new TreeMap<>())
              .putIfAbsent(section, new Segment(value, encoded));
      if (before != null) {
        log.add(Defect.PARAMETER_REPEATED, offset + start);
      }
    }

    private static String join(SortedMap<Integer, Segment> segments) {
      String charset = "";
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      boolean first = true;
      for (Segment segment : segments.values()) {
        String piece = segment.text;
        if (first && segment.encoded) {
          int quote = piece.indexOf('\'');
          int second = quote < 0 ? -1 : piece.indexOf('\'', quote + 1);
          if (second >= 0) {
            charset = piece.substring(0, quote);
            piece = piece.substring(second + 1);
          }
        }
        first = false;
        byte[] raw = piece.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < raw.length; i++) {
          if (segment.encoded && raw[i] == '%' && i + 2 < raw.length) {
            int high = Ascii.hex(raw[i + 1]);
            int low = Ascii.hex(raw[i + 2]);
            if (high >= 0 && low >= 0) {
              bytes.write(high << 4 | low);
              i += 2;
              continue;
            }
          }
          bytes.write(raw[i]);
        }
      }
      byte[] all = bytes.toByteArray();
      return Charsets.decode(all, 0, all.length, charset);
    }

    private String name() {
      skipBlank();
      int start = pos;
      while (pos < text.length() && "=; \t()\"".indexOf(text.charAt(pos)) < 0) {
        pos++;
      }
      String name = text.substring(start, pos).toLowerCase(Locale.ROOT);
      skipBlank();
      return name;
    }

    private String value() {
      skipBlank();
      if (pos < text.length() && text.charAt(pos) == '"') {
        String quoted = quoted();
        untilSemicolon(); // what stands between the quote and the semicolon counts for nobody
        return quoted;
      }
      return untilSemicolon();
    }

    private String quoted() {
      StringBuilder out = new StringBuilder();
      pos++;
      while (pos < text.length()) {
        char c = text.charAt(pos++);
        if (c == '"') {
          return out.toString();
        }
        if (c == '\\' && pos < text.length()) {
          char next = text.charAt(pos);
          // Windows paths are written without doubling: only what needs it is unescaped.
          if (next == '"' || next == '\\') {
            pos++;
            out.append(next);
            continue;
          }
        }
        out.append(c);
      }
      log.add(Defect.PARAMETER_INVALID, offset + pos);
      return out.toString();
    }

    /** Text up to the next semicolon outside comments, trimmed; comments cut. */
    private String untilSemicolon() {
      List<String> pieces = new ArrayList<>(1);
      int start = pos;
      while (pos < text.length() && text.charAt(pos) != ';') {
        if (text.charAt(pos) == '(') {
          int close = commentEnd(pos);
          if (close > 0) {
            pieces.add(text.substring(start, pos));
            start = close;
            pos = close;
            continue;
          }
        }
        pos++;
      }
      String last = text.substring(start, pos);
      return (pieces.isEmpty() ? last : String.join("", pieces) + last).trim();
    }

    private boolean noCommentEnds;

    /** Offset after a comment (RFC 5322 §3.2.2), or -1 when it never ends: then it is text. */
    private int commentEnd(int open) {
      if (noCommentEnds) {
        return -1;
      }
      int depth = 0;
      for (int i = open; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c == '\\') {
          i++;
        } else if (c == '(') {
          depth++;
        } else if (c == ')' && --depth == 0) {
          return i + 1;
        }
      }
      noCommentEnds = true;
      return -1;
    }

    private void skipBlank() {
      while (pos < text.length()) {
        char c = text.charAt(pos);
        if (c == '(') {
          int close = commentEnd(pos);
          if (close < 0) {
            return;
          }
          pos = close;
        } else if (c <= ' ') {
          pos++;
        } else {
          return;
        }
      }
    }
  }
}
