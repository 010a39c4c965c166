package net.postern.events;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import net.postern.events.MailEvent.Reason;

/**
 * What a sender who was refused can quote: thirteen letters and digits in the reply, of which none
 * can be mistaken for another (Crockford's base 32, without I, L, O and U). It holds the reason and
 * the second by itself, so that it can be explained though its record was lost in a flood or is no
 * longer kept.
 *
 * @param reason empty when a version of the program gave it that had other reasons
 * @param at when, in whole seconds
 * @param number tells apart what happened within one second for one reason; 0 to 2^17 - 1
 */
public record Reference(Optional<Reason> reason, Instant at, int number) {
  private static final String DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  private static final int LENGTH = 13;
  private static final int BITS = 5;
  private static final int NUMBER_BITS = 17;
  private static final int SECOND_BITS = 32;
  private static final int REASON_BITS = 16;
  private static final long NUMBER_MASK = (1L << NUMBER_BITS) - 1;
  private static final long SECOND_MASK = (1L << SECOND_BITS) - 1;

  public Reference {
    at = Instant.ofEpochSecond(at.getEpochSecond() & SECOND_MASK);
    if (number < 0 || number > NUMBER_MASK) {
      throw new IllegalArgumentException("out of range: " + number);
    }
  }

  /** A new one, for something that happens now. */
  public static Reference of(Reason reason, Instant now) {
    return new Reference(
        Optional.of(reason), now, ThreadLocalRandom.current().nextInt(1 << NUMBER_BITS));
  }

  /**
   * Reads what someone typed: in any case, with dashes or spaces, O for 0 and I or L for 1.
   *
   * @return empty when it is none
   */
  public static Optional<Reference> parse(String text) {
    String plain =
        text.toUpperCase(Locale.ROOT)
            .replace("-", "")
            .replace(" ", "")
            .replace('O', '0')
            .replace('I', '1')
            .replace('L', '1');
    if (plain.length() != LENGTH) {
      return Optional.empty();
    }
    int first = 0;
    long rest = 0;
    for (int i = 0; i < LENGTH; i++) {
      int digit = DIGITS.indexOf(plain.charAt(i));
      if (digit < 0) {
        return Optional.empty();
      }
      if (i == 0) {
        first = digit;
      } else {
        rest = (rest << BITS) | digit;
      }
    }
    int tag = (first << (REASON_BITS - BITS)) | (int) (rest >>> (NUMBER_BITS + SECOND_BITS));
    Optional<Reason> reason = Optional.empty();
    for (Reason each : Reason.values()) {
      if (tag(each) == tag) {
        reason = Optional.of(each);
      }
    }
    return Optional.of(
        new Reference(
            reason,
            Instant.ofEpochSecond((rest >>> NUMBER_BITS) & SECOND_MASK),
            (int) (rest & NUMBER_MASK)));
  }

  // By name, so that a reference outlives a new order of reasons. A test sees that no two are
  // equal.
  static int tag(Reason reason) {
    int hash = reason.name().hashCode();
    return (hash ^ (hash >>> REASON_BITS)) & ((1 << REASON_BITS) - 1);
  }

  /** As it stands in replies. */
  @Override
  public String toString() {
    int tag = reason.map(Reference::tag).orElse(0);
    // 65 bits: five of the tag in the first digit, the others behind it.
    long rest =
        ((long) tag << (NUMBER_BITS + SECOND_BITS)) | (at.getEpochSecond() << NUMBER_BITS) | number;
    StringBuilder out = new StringBuilder(LENGTH);
    out.append(DIGITS.charAt(tag >>> (REASON_BITS - BITS)));
    for (int i = LENGTH - 2; i >= 0; i--) {
      out.append(DIGITS.charAt((int) (rest >>> (i * BITS)) & 31));
    }
    return out.toString();
  }
}
