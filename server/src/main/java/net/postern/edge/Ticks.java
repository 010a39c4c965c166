package net.postern.edge;

import java.time.Duration;

/** Nanoseconds since this class was loaded: never negative, so deadlines compare as numbers. */
final class Ticks {
  /** No deadline. */
  static final long NEVER = Long.MAX_VALUE;

  private static final long BASE = System.nanoTime();

  private Ticks() {}

  static long now() {
    return System.nanoTime() - BASE;
  }

  static long after(Duration duration) {
    return now() + nanos(duration);
  }

  /** Some hundred years at most, so that sums with {@link #now} do not overflow. */
  static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofDays(36_500)) > 0
        ? Duration.ofDays(36_500).toNanos()
        : duration.toNanos();
  }
}
