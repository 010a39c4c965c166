package net.postern.edge;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The budget of memory for messages that are being received, shared by all sessions. Safe for many
 * threads.
 */
final class ReceiveMemory {
  private final long limit;
  private final AtomicLong used = new AtomicLong();

  /**
   * @param limit bytes; 0 takes a quarter of the heap
   */
  ReceiveMemory(long limit) {
    this.limit = limit > 0 ? limit : Runtime.getRuntime().maxMemory() / 4;
  }

  /** Takes that many bytes out of the budget; false, and nothing taken, when they are not there. */
  boolean take(long bytes) {
    if (used.addAndGet(bytes) <= limit) {
      return true;
    }
    used.addAndGet(-bytes);
    return false;
  }

  void giveBack(long bytes) {
    used.addAndGet(-bytes);
  }

  /** Whether a message of this size could be taken now. */
  boolean hasRoomFor(long bytes) {
    return bytes <= limit - used.get();
  }

  /** Bytes in the whole budget. */
  long limit() {
    return limit;
  }

  long used() {
    return used.get();
  }
}
