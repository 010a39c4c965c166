package net.postern.delivery;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Bounds the memory of messages that were read back from the vault to be sent. What is handed over
 * by intake is bounded by {@link Room}; without a bound here a backlog of large messages, when its
 * server is back, would be in memory as often as there are connections.
 *
 * <p>First come, first served, so that a large message gets its turn. Small ones are not counted:
 * there are never more of them than deliveries under way, and they need not wait for large ones.
 * Safe for many threads.
 */
final class ReadRoom {
  /** Messages up to this size are not counted, in bytes. */
  static final int SMALL = 128 * 1024;

  private static final int UNIT = 64 * 1024;

  private final Semaphore units;
  private final int all;

  /**
   * @param bytes for all messages together; one that is larger is taken alone
   */
  ReadRoom(long bytes) {
    this.all = Math.clamp(bytes / UNIT, 1, Integer.MAX_VALUE);
    this.units = new Semaphore(all, true);
  }

  /**
   * Waits for room.
   *
   * @return false when there was none in time; otherwise {@link #giveBack} is due afterwards
   */
  boolean take(long bytes, Duration limit) throws InterruptedException {
    return bytes <= SMALL
        || units.tryAcquire(unitsOf(bytes), limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  void giveBack(long bytes) {
    if (bytes > SMALL) {
      units.release(unitsOf(bytes));
    }
  }

  private int unitsOf(long bytes) {
    return Math.clamp((bytes + UNIT - 1) / UNIT, 1, all);
  }
}
