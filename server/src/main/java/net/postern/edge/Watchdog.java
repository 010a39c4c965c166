package net.postern.edge;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends waits whose deadline has passed. One thread looks at all connections some times a second: at
 * 20,000 connections that is cheaper than a timer set and cancelled for each read.
 */
final class Watchdog {
  /** How late a deadline may be noticed. */
  private static final long PERIOD_MILLIS = 200;

  private final Set<Connection> watched = ConcurrentHashMap.newKeySet();
  private final CountDownLatch stop = new CountDownLatch(1);

  void start() {
    Thread.ofPlatform().daemon().name("edge-watchdog").start(this::run);
  }

  void watch(Connection connection) {
    watched.add(connection);
  }

  void forget(Connection connection) {
    watched.remove(connection);
  }

  void stop() {
    stop.countDown();
  }

  private void run() {
    try {
      while (!stop.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
        long now = Ticks.now();
        for (Connection connection : watched) {
          connection.expireAt(now);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
