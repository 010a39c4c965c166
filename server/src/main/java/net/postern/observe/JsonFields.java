package net.postern.observe;

import java.util.List;

/** Members of a JSON object (RFC 8259), without the braces: the log line's encoder adds its own. */
final class JsonFields implements Fields {
  private final StringBuilder out = new StringBuilder(400);

  @Override
  public Fields text(String name, String value) {
    name(name);
    string(value);
    return this;
  }

  @Override
  public Fields address(String name, String value) {
    return text(name, value);
  }

  @Override
  public Fields addresses(String name, List<String> values) {
    return texts(name, values);
  }

  @Override
  public Fields texts(String name, List<String> values) {
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
  public Fields number(String name, long value) {
    name(name);
    out.append(value);
    return this;
  }

  @Override
  public Fields decimal(String name, double value) {
    name(name);
    Fields.appendDecimal(out, value);
    return this;
  }

  @Override
  public Fields flag(String name, boolean value) {
    name(name);
    out.append(value);
    return this;
  }

  @Override
  public String line() {
    return out.toString();
  }

  private void name(String name) {
    if (!out.isEmpty()) {
      out.append(',');
    }
    out.append('"').append(name).append("\":");
  }

  private void string(String value) {
    out.append('"');
    Fields.appendEscaped(out, value);
    out.append('"');
  }
}
