package net.postern.smtp.client;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends connections whose deadline has passed. One thread for all of them: a blocking write has no
 * time-out of its own, and a timer for each read costs more than a look at a field a few times a
 * second.
 */
final class ConnectionWatchdog implements AutoCloseable {
  private static final long MIN_TICK_MILLIS = 20;
  private static final long MAX_TICK_MILLIS = 500;

  private final Set<SmtpConnection> watched = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor timer;

  /**
   * @param shortest the shortest time-out in use: it decides how often deadlines are looked at
   */
  ConnectionWatchdog(Duration shortest) {
    timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("smtp-client-watchdog").factory());
    long tick = Math.clamp(shortest.toMillis() / 8, MIN_TICK_MILLIS, MAX_TICK_MILLIS);
    var _ = timer.scheduleWithFixedDelay(this::look, tick, tick, TimeUnit.MILLISECONDS);
  }

  void watch(SmtpConnection connection) {
    watched.add(connection);
  }

  void forget(SmtpConnection connection) {
    watched.remove(connection);
  }

  private void look() {
    long now = System.nanoTime();
    for (SmtpConnection connection : watched) {
      connection.endIfOverdue(now);
    }
  }

  /** Ends every connection at once. */
  void abortAll() {
    for (SmtpConnection connection : watched) {
      connection.abort();
    }
  }

  @Override
  public void close() {
    abortAll();
    timer.shutdownNow();
  }
}
