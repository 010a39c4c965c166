package net.postern.bench;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/** How long each of a known number of operations took. Safe for many threads. */
final class Latencies {
  private final long[] nanos;
  private final AtomicInteger count = new AtomicInteger();

  Latencies(int most) {
    this.nanos = new long[most];
  }

  void add(long took) {
    nanos[count.getAndIncrement()] = took;
  }

  /**
   * The time that a share of the operations did not exceed, in milliseconds.
   *
   * @param share from 0 to 1
   */
  double millis(double share) {
    long[] sorted = Arrays.copyOf(nanos, count.get());
    Arrays.sort(sorted);
    return sorted.length == 0
        ? 0
        : sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))] / 1e6;
  }
}
