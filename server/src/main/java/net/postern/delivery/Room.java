package net.postern.delivery;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Bounds what waits in memory between acceptance and delivery. Safe for many threads. */
final class Room {
  private final int maxDeliveries;
  private final long maxBytes;
  private final AtomicInteger deliveries = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();
  private volatile boolean closed;

  Room(int maxDeliveries, long maxBytes) {
    this.maxDeliveries = maxDeliveries;
    this.maxBytes = maxBytes;
  }

  boolean reserve(int count, long size) {
    if (closed) {
      return false;
    }
    if (deliveries.addAndGet(count) > maxDeliveries) {
      deliveries.addAndGet(-count);
      return false;
    }
    if (bytes.addAndGet(size) > maxBytes) {
      release(count, size);
      return false;
    }
    return true;
  }

  void release(int count, long size) {
    deliveries.addAndGet(-count);
    bytes.addAndGet(-size);
  }

  void close() {
    closed = true;
  }

  long bytes() {
    return bytes.get();
  }

  int deliveries() {
    return deliveries.get();
  }

  /** A hold on room for deliveries that share one message: the bytes go with the last of them. */
  Job.Ticket ticket(int count, long size) {
    AtomicInteger left = new AtomicInteger(count);
    return done -> release(done, left.addAndGet(-done) == 0 ? size : 0);
  }
}
