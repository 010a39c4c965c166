package net.postern.dnsbl;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which answers are meant: {@code 127.0.0.4-7}, {@code 127.0.*.3}, {@code 127.0.0.&8}.
 *
 * @param parts four
 */
public record CodePattern(List<Part> parts) {
  private static final Pattern PART =
      Pattern.compile("(\\*)|&(\\d{1,3})|(\\d{1,3})(?:-(\\d{1,3}))?");

  /**
   * A byte of an answer.
   *
   * @param from least value
   * @param to greatest value
   * @param bits those that have to be set
   */
  public record Part(int from, int to, int bits) {
    boolean matches(int value) {
      return value >= from && value <= to && (value & bits) == bits;
    }
  }

  public CodePattern {
    parts = List.copyOf(parts);
  }

  /** Reads the text of a pattern; empty when it is none. */
  public static Optional<CodePattern> parse(String text) {
    String[] words = text.split("\\.", -1);
    List<Part> parts = new ArrayList<>(4);
    for (String word : words) {
      Matcher part = PART.matcher(word);
      if (!part.matches()) {
        return Optional.empty();
      }
      if (part.group(1) != null) {
        parts.add(new Part(0, 255, 0));
      } else if (part.group(2) != null) {
        parts.add(new Part(0, 255, Integer.parseInt(part.group(2))));
      } else {
        int from = Integer.parseInt(part.group(3));
        int to = part.group(4) == null ? from : Integer.parseInt(part.group(4));
        parts.add(new Part(from, to, 0));
      }
    }
    boolean fits =
        parts.size() == 4
            && parts.stream()
                .allMatch(
                    part -> part.from() <= part.to() && part.to() <= 255 && part.bits() <= 255);
    return fits ? Optional.of(new CodePattern(parts)) : Optional.empty();
  }

  boolean matches(byte[] address) {
    for (int i = 0; i < parts.size(); i++) {
      if (!parts.get(i).matches(address[i] & 0xff)) {
        return false;
      }
    }
    return true;
  }
}
