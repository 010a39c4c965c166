package net.postern.delivery;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Counts what is under way, for those who wait until nothing is. Safe for many threads. */
final class Outstanding {
  private final AtomicInteger count = new AtomicInteger();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition none = lock.newCondition();

  void add(int more) {
    count.addAndGet(more);
  }

  void done(int fewer) {
    if (count.addAndGet(-fewer) == 0) {
      lock.lock();
      try {
        none.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  int count() {
    return count.get();
  }

  /** Waits until the count is zero; false when it took too long. */
  boolean awaitNone(Duration limit) throws InterruptedException {
    long nanos = Math.max(0, limit.toNanos());
    lock.lock();
    try {
      while (count.get() > 0) {
        if (nanos <= 0) {
          return false;
        }
        nanos = none.awaitNanos(nanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
