package net.postern.observe;

import java.util.List;

/** Members of a JSON object (RFC 8259), without the braces: the log line's encoder adds its own. */
final class JsonFields extends Fields {
  @Override
  Fields text(String name, String value) {
    name(name);
    string(value);
    return this;
  }

  @Override
  Fields address(String name, String value) {
    return text(name, value);
  }

  @Override
  Fields addresses(String name, List<String> values) {
    return texts(name, values);
  }

  @Override
  Fields texts(String name, List<String> values) {
    name(name);
    out.append('[');
    int shown = Math.min(values.size(), MAX_LIST);
    for (int i = 0; i < shown; i++) {
      if (i > 0) {
        out.append(',');
      }
      string(values.get(i));
    }
    if (values.size() > shown) {
      out.append(",\"+").append(values.size() - shown).append('"');
    }
    out.append(']');
    return this;
  }

  @Override
  void name(String name) {
    if (!out.isEmpty()) {
      out.append(',');
    }
    out.append('"').append(name).append("\":");
  }

  private void string(String value) {
    out.append('"');
    appendEscaped(out, value);
    out.append('"');
  }
}
