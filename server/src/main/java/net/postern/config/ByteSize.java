package net.postern.config;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes, written {@code 512}, {@code 64 KiB}, {@code 50 MiB}, {@code 2 GiB} (powers of
 * 1,024) or {@code kB}, {@code MB}, {@code GB} (powers of 1,000).
 *
 * @param bytes not negative
 */
public record ByteSize(long bytes) {
  private static final Pattern FORM =
      Pattern.compile("(\\d{1,15})\\s*(|B|KB|MB|GB|TB|KIB|MIB|GIB|TIB)");

  public ByteSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("a size is not negative: " + bytes);
    }
  }

  /** Reads the written form; empty when it is none or more than a long holds. */
  public static Optional<ByteSize> parse(String text) {
    Matcher matcher = FORM.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String unit = matcher.group(2);
    int power = unit.isEmpty() ? 0 : "BKMGT".indexOf(unit.charAt(0));
    long factor = (long) Math.pow(unit.endsWith("IB") ? 1024 : 1000, power);
    try {
      return Optional.of(
          new ByteSize(Math.multiplyExact(Long.parseLong(matcher.group(1)), factor)));
    } catch (ArithmeticException e) {
      return Optional.empty();
    }
  }
}
