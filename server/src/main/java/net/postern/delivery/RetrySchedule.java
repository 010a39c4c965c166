package net.postern.delivery;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * When to try again: the wait doubles from {@code first} to {@code longest} (RFC 5321 §4.5.4.1
 * leaves the strategy open), each up to a tenth shorter or longer, so that what failed together
 * does not come back together. The last attempt falls on the moment of giving up, not past it.
 *
 * @param random uniform in 0 to 1
 */
record RetrySchedule(Duration first, Duration longest, DoubleSupplier random) {
  private static final double JITTER = 0.1;

  /**
   * @param attempt number of the attempt that failed, from 1
   * @return empty when the message is to be given up
   */
  Optional<Instant> next(int attempt, Instant now, Instant giveUpAt) {
    if (!now.isBefore(giveUpAt)) {
      return Optional.empty();
    }
    Instant next = now.plus(delay(attempt));
    return Optional.of(next.isAfter(giveUpAt) ? giveUpAt : next);
  }

  private Duration delay(int attempt) {
    // 2^40 seconds are beyond every limit; shifting further would overflow.
    double factor = Math.scalb(1.0, Math.clamp(attempt - 1, 0, 40));
    double millis = Math.min(first.toMillis() * factor, (double) longest.toMillis());
    double jitter = 1 + JITTER * (2 * random.getAsDouble() - 1);
    return Duration.ofMillis(Math.max(1, Math.round(millis * jitter)));
  }
}
