package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class RetryScheduleTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Example
  void theWaitDoublesUpToItsLimit() {
    RetrySchedule schedule =
        new RetrySchedule(Duration.ofMinutes(5), Duration.ofHours(1), () -> 0.5);
    Instant far = NOW.plus(Duration.ofDays(5));
    assertEquals(Optional.of(NOW.plus(Duration.ofMinutes(5))), schedule.next(1, NOW, far));
    assertEquals(Optional.of(NOW.plus(Duration.ofMinutes(10))), schedule.next(2, NOW, far));
    assertEquals(Optional.of(NOW.plus(Duration.ofMinutes(40))), schedule.next(4, NOW, far));
    assertEquals(Optional.of(NOW.plus(Duration.ofHours(1))), schedule.next(5, NOW, far));
  }

  @Property(tries = 500)
  void everyNextAttemptIsAheadAndNotPastTheEnd(
      @ForAll @IntRange(min = 1, max = Integer.MAX_VALUE) int attempt,
      @ForAll @LongRange(min = 1, max = 86_400) long first,
      @ForAll @LongRange(min = 1, max = 864_000) long longest,
      @ForAll @LongRange(min = -100, max = 1_000_000) long left,
      @ForAll @DoubleRange(min = 0, max = 1) double random) {
    RetrySchedule schedule =
        new RetrySchedule(Duration.ofSeconds(first), Duration.ofSeconds(longest), () -> random);
    Instant giveUpAt = NOW.plusSeconds(left);
    Optional<Instant> next = schedule.next(attempt, NOW, giveUpAt);
    assertEquals(left > 0, next.isPresent());
    if (next.isPresent()) {
      assertTrue(next.get().isAfter(NOW));
      assertFalse(next.get().isAfter(giveUpAt));
      assertTrue(
          Duration.between(NOW, next.get()).toMillis() <= Math.round(longest * 1000 * 1.1) + 1);
    }
  }
}
