package net.postern.observe;

import java.util.List;

/**
 * {@code name=value} with blanks between. A value with anything but plain ASCII letters, digits and
 * harmless punctuation is in double quotes, with JSON's escapes.
 */
final class LogfmtFields extends Fields {
  private static final boolean[] BARE = new boolean[0x7f];

  static {
    for (char c = 0x21; c < 0x7f; c++) {
      BARE[c] = c != '"' && c != '\\' && c != '=' && c != '\'' && c != '`';
    }
  }

  @Override
  Fields text(String name, String value) {
    name(name);
    value(value);
    return this;
  }

  @Override
  Fields address(String name, String value) {
    name(name);
    if (isBareAddress(value)) {
      out.append('<').append(value).append('>');
    } else {
      out.append('"');
      quotedAddress(value);
      out.append('"');
    }
    return this;
  }

  @Override
  Fields addresses(String name, List<String> values) {
    name(name);
    int shown = Math.min(values.size(), MAX_LIST);
    boolean bare = true;
    for (int i = 0; i < shown && bare; i++) {
      bare = isBareAddress(values.get(i));
    }
    if (!bare) {
      out.append('"');
    }
    for (int i = 0; i < shown; i++) {
      if (i > 0) {
        out.append(',');
      }
      if (bare) {
        out.append('<').append(values.get(i)).append('>');
      } else {
        quotedAddress(values.get(i));
      }
    }
    more(values.size() - shown);
    if (!bare) {
      out.append('"');
    }
    return this;
  }

  @Override
  Fields texts(String name, List<String> values) {
    if (values.size() == 1) {
      return text(name, values.getFirst());
    }
    int shown = Math.min(values.size(), MAX_LIST);
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < shown; i++) {
      all.append(i > 0 ? "," : "").append(values.get(i));
    }
    name(name);
    value(all.toString());
    more(values.size() - shown);
    return this;
  }

  @Override
  void name(String name) {
    if (!out.isEmpty()) {
      out.append(' ');
    }
    out.append(name).append('=');
  }

  private void value(String value) {
    if (isBare(value)) {
      out.append(value);
    } else {
      out.append('"');
      appendEscaped(out, value);
      out.append('"');
    }
  }

  private void more(int left) {
    if (left > 0) {
      out.append(",+").append(left);
    }
  }

  // Brackets and commas inside an address would end it early for a reader of the list.
  private void quotedAddress(String value) {
    out.append('<');
    int end = Math.min(value.length(), MAX_VALUE);
    int from = 0;
    for (int i = 0; i < end; i++) {
      char c = value.charAt(i);
      if (c == '<' || c == '>' || c == ',') {
        appendEscaped(out, value.substring(from, i));
        appendHex(out, c);
        from = i + 1;
      }
    }
    appendEscaped(out, value.substring(from, end));
    out.append(value.length() > MAX_VALUE ? "...>" : ">");
  }

  private static boolean isBare(String value) {
    return !value.isEmpty() && value.length() <= MAX_VALUE && isPlainAscii(value);
  }

  private static boolean isBareAddress(String value) {
    return value.length() <= MAX_VALUE
        && isPlainAscii(value)
        && value.indexOf('<') < 0
        && value.indexOf('>') < 0
        && value.indexOf(',') < 0;
  }

  private static boolean isPlainAscii(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c >= BARE.length || !BARE[c]) {
        return false;
      }
    }
    return true;
  }
}
