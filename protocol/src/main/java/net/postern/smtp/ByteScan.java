package net.postern.smtp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Finds the few bytes that matter in mail, eight at a time.
 *
 * <p>NUL, LF and CR are all below 0x0E, as is TAB and little else of what mail contains. A word of
 * eight bytes holds a byte below n (n at most 0x80) exactly when {@code (x - n·0x01…) & ~x & 0x80…}
 * is not zero, and the lowest bit set names the first such byte (S. E. Anderson, "Bit Twiddling
 * Hacks", "Determine if a word has a byte less than n").
 */
final class ByteScan {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int FIRST_PLAIN = 0x0E;
  private static final long BELOW = 0x0101010101010101L * FIRST_PLAIN;
  private static final long HIGH_BITS = 0x8080808080808080L;

  private ByteScan() {}

  /**
   * Index of the first NUL, LF or CR in {@code bytes[from, to)}.
   *
   * @return {@code to} when there is none
   */
  static int special(byte[] bytes, int from, int to) {
    int i = from;
    while (i + Long.BYTES <= to) {
      long word = (long) LONG.get(bytes, i);
      long hits = (word - BELOW) & ~word & HIGH_BITS;
      while (hits != 0) {
        int at = i + (Long.numberOfTrailingZeros(hits) >>> 3);
        if (isSpecial(bytes[at])) {
          return at;
        }
        hits &= hits - 1;
      }
      i += Long.BYTES;
    }
    for (; i < to; i++) {
      if (isSpecial(bytes[i])) {
        return i;
      }
    }
    return to;
  }

  private static boolean isSpecial(byte b) {
    return b == '\n' || b == '\r' || b == 0;
  }
}
