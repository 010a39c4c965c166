package net.postern.id;

import java.security.SecureRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Names one accepted message for its whole life: in replies, logs, ledger and vault. A version 7
 * UUID (RFC 9562 §5.7): sorted by time of creation, so that index pages fill in order, with 62
 * random bits.
 */
public record MessageId(UUID value) implements Comparable<MessageId> {
  private static final SecureRandom RANDOM = new SecureRandom();
  // 12 bits below the millisecond keep ids of one process strictly ascending.
  private static final AtomicLong LAST = new AtomicLong();

  /** A fresh id, greater than every earlier one of this process. */
  public static MessageId create() {
    long stamp = LAST.updateAndGet(last -> Math.max(last + 1, System.currentTimeMillis() << 12));
    long high = ((stamp >>> 12) << 16) | 0x7000L | (stamp & 0xfff);
    long low = (RANDOM.nextLong() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
    return new MessageId(new UUID(high, low));
  }

  /**
   * Reads what {@link #toString} wrote.
   *
   * @throws IllegalArgumentException when the text is no UUID
   */
  public static MessageId parse(String text) {
    return new MessageId(UUID.fromString(text));
  }

  @Override
  public int compareTo(MessageId other) {
    int high =
        Long.compareUnsigned(value.getMostSignificantBits(), other.value.getMostSignificantBits());
    return high != 0
        ? high
        : Long.compareUnsigned(
            value.getLeastSignificantBits(), other.value.getLeastSignificantBits());
  }

  @Override
  public String toString() {
    return value.toString();
  }
}
