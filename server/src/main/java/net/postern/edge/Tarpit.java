package net.postern.edge;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Where sessions wait that are slowed down: so many at one time and no more, since each of them
 * holds a connection. Safe for many threads.
 */
final class Tarpit {
  private final int size;
  private final Semaphore places;
  private final CountDownLatch draining;

  /**
   * @param draining ends all waits when it reaches zero
   */
  Tarpit(int size, CountDownLatch draining) {
    this.size = size;
    this.places = new Semaphore(size);
    this.draining = draining;
  }

  /**
   * Lets the caller wait.
   *
   * @return false, at once, when there is no place left
   */
  boolean hold(Duration wait) {
    if (!places.tryAcquire()) {
      return false;
    }
    try {
      var _ = draining.await(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      places.release();
    }
    return true;
  }

  /** Sessions that wait now. */
  int held() {
    return size - places.availablePermits();
  }
}
