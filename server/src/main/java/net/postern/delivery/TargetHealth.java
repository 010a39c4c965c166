package net.postern.delivery;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.tenant.Route;

/**
 * A short memory of servers that did not work. While one is down nobody waits for it; the time
 * doubles with each failure in a row. Safe for many threads.
 */
final class TargetHealth {
  /** Servers remembered; beyond it the memory starts afresh. */
  private static final int MAX_TARGETS = 10_000;

  private final Map<Route.Target, Down> down = new ConcurrentHashMap<>();
  private final long firstNanos;
  private final long longestNanos;

  private record Down(long until, int failures, String why) {}

  /**
   * @param first how long a server is left alone after one failure
   * @param longest the most that this grows to
   */
  TargetHealth(Duration first, Duration longest) {
    this.firstNanos = first.toNanos();
    this.longestNanos = longest.toNanos();
  }

  /** Why this server is not to be tried now; empty when it may be. */
  Optional<String> downReason(Route.Target target) {
    Down state = down.get(target);
    return state != null && state.until - System.nanoTime() > 0
        ? Optional.of(state.why)
        : Optional.empty();
  }

  void failed(Route.Target target, String why) {
    if (down.size() >= MAX_TARGETS) {
      down.clear();
    }
    long now = System.nanoTime();
    down.compute(
        target,
        (key, before) -> {
          // Connections that fail together are one failure.
          if (before != null && before.until - now > 0) {
            return before;
          }
          int failures = before == null ? 1 : Math.min(before.failures + 1, 30);
          long wait =
              (long) Math.min(Math.scalb((double) firstNanos, failures - 1), (double) longestNanos);
          return new Down(now + wait, failures, why);
        });
  }

  void works(Route.Target target) {
    if (!down.isEmpty()) {
      down.remove(target);
    }
  }
}
