package net.postern.testkit;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Waits for conditions, within bounds. The only place where tests wait. */
public final class Await {
  /** Enough for a loaded machine; a test that passes does not take it. */
  public static final Duration LONG = Duration.ofSeconds(60);

  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private Await() {}

  /**
   * Returns as soon as the condition holds.
   *
   * @throws AssertionError when it does not within the limit
   */
  public static void until(Duration limit, Supplier<Boolean> condition) {
    long end = System.nanoTime() + limit.toNanos();
    while (!condition.get()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("did not happen within " + limit);
      }
      LockSupport.parkNanos(STEP_NANOS);
    }
  }

  /** {@link #until} with {@link #LONG}. */
  public static void until(Supplier<Boolean> condition) {
    until(LONG, condition);
  }
}
