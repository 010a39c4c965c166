package net.postern.mime;

import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Charset labels as mail programs read them: the label names the superset that is really in use
 * (WHATWG Encoding §4.2), and a wrong label does not lose the text.
 */
public final class Charsets {
  /** What 8-bit text of unknown origin is read as. */
  public static final Charset WINDOWS_1252 = Charset.forName("windows-1252");

  private static final int MAX_LABEL = 64;
  private static final int MAX_CACHED = 500;

  private static final Map<String, String> SUPERSETS =
      Map.ofEntries(
          Map.entry("iso-8859-1", "windows-1252"),
          Map.entry("iso8859-1", "windows-1252"),
          Map.entry("latin1", "windows-1252"),
          Map.entry("us-ascii", "utf-8"),
          Map.entry("ascii", "utf-8"),
          Map.entry("ansi_x3.4-1968", "utf-8"),
          Map.entry("utf8", "utf-8"),
          Map.entry("unicode-1-1-utf-8", "utf-8"),
          Map.entry("iso-8859-9", "windows-1254"),
          Map.entry("iso-8859-11", "x-windows-874"),
          Map.entry("tis-620", "x-windows-874"),
          Map.entry("windows-874", "x-windows-874"),
          Map.entry("gb2312", "gb18030"),
          Map.entry("gbk", "gb18030"),
          Map.entry("x-gbk", "gb18030"),
          Map.entry("gb_2312-80", "gb18030"),
          Map.entry("ks_c_5601-1987", "x-windows-949"),
          Map.entry("ksc5601", "x-windows-949"),
          Map.entry("euc-kr", "x-windows-949"),
          Map.entry("shift_jis", "windows-31j"),
          Map.entry("shift-jis", "windows-31j"),
          Map.entry("sjis", "windows-31j"),
          Map.entry("x-sjis", "windows-31j"),
          Map.entry("iso-2022-jp", "x-windows-iso2022jp"),
          Map.entry("iso-8859-8-i", "iso-8859-8"),
          Map.entry("iso-8859-8-e", "iso-8859-8"),
          Map.entry("big5", "big5-hkscs"),
          Map.entry("cp1252", "windows-1252"),
          Map.entry("x-mac-roman", "x-macroman"),
          Map.entry("macintosh", "x-macroman"));

  private static final Map<String, Optional<Charset>> KNOWN = new ConcurrentHashMap<>();

  private Charsets() {}

  /** The charset that a label stands for in the field; empty when nobody knows it. */
  public static Optional<Charset> named(String label) {
    if (label.isEmpty() || label.length() > MAX_LABEL) {
      return Optional.empty();
    }
    String key = label.trim().toLowerCase(Locale.ROOT);
    Optional<Charset> known = KNOWN.get(key);
    if (known == null) {
      known = lookUp(SUPERSETS.getOrDefault(key, key));
      if (KNOWN.size() < MAX_CACHED) { // labels come from outside: the cache must not grow
        KNOWN.put(key, known);
      }
    }
    return known;
  }

  /** Decodes by label; by {@link #guess} when the label is empty, ASCII or unknown. Never fails. */
  public static String decode(byte[] bytes, int offset, int length, String label) {
    Optional<Charset> charset = named(label);
    if (charset.isEmpty() || charset.get().equals(StandardCharsets.UTF_8)) {
      return guess(bytes, offset, length);
    }
    return new String(bytes, offset, length, charset.get());
  }

  /**
   * UTF-8 where the bytes are valid UTF-8 (a cut last character is forgiven), else windows-1252.
   */
  public static String guess(byte[] bytes, int offset, int length) {
    return isUtf8(bytes, offset, offset + length)
        ? new String(bytes, offset, length, StandardCharsets.UTF_8)
        : new String(bytes, offset, length, WINDOWS_1252);
  }

  static boolean isUtf8(byte[] b, int from, int to) {
    int i = from;
    while (i < to) {
      int c = b[i++];
      if (c >= 0) {
        continue;
      }
      int more = (c & 0xe0) == 0xc0 && (c & 0x1f) > 1 ? 1 : (c & 0xf0) == 0xe0 ? 2 : 3;
      if (more == 3 && ((c & 0xf8) != 0xf0 || (c & 7) > 4)) {
        return false;
      }
      for (int k = 0; k < more; k++) {
        if (i == to) {
          return true;
        }
        if ((b[i++] & 0xc0) != 0x80) {
          return false;
        }
      }
    }
    return true;
  }

  private static Optional<Charset> lookUp(String name) {
    try {
      return Optional.of(Charset.forName(name));
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      return Optional.empty();
    }
  }
}
