package net.postern.source;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;

/**
 * How fast sources do things, on this node alone. Memory is bounded: the meters of sources that
 * were met longest ago are dropped first.
 */
final class Rates {
  private static final int MAX_SOURCES = 50_000;

  /** What a source waits at most before it is told to come again. */
  private static final long LONGEST_WAIT_MILLIS = 5_000;

  private static final long SHORTEST_WAIT_MILLIS = 500;

  private final Cache<Source, Meters> meters =
      Caffeine.newBuilder().maximumSize(MAX_SOURCES).build();

  /** All of one source. */
  static final class Meters {
    final Meter connects = new Meter();
    final Meter messages = new Meter();
    final Meter recipients = new Meter();
  }

  /** Counts one more of something. */
  int add(Source source, Function<Meters, Meter> what, Instant now) {
    Meters known = meters.getIfPresent(source);
    if (known == null) {
      known = meters.get(source, key -> new Meters());
    }
    return what.apply(known).add(now);
  }

  /** Slow before cut: over the limit the wait grows, over twice the limit it is "not now". */
  static Pace pace(int rate, int limit) {
    if (rate <= limit) {
      return new Pace.Free();
    }
    int over = rate - limit;
    if (over > limit) {
      return new Pace.Stop();
    }
    long millis =
        SHORTEST_WAIT_MILLIS + (LONGEST_WAIT_MILLIS - SHORTEST_WAIT_MILLIS) * over / limit;
    return new Pace.Slow(Duration.ofMillis(millis));
  }
}
