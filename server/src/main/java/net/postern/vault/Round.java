package net.postern.vault;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** One group on its way to several stores: who has it, who failed, who has not answered. */
final class Round {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final int lanes;
  private final Set<StoreLane> done = new HashSet<>();
  private final Map<StoreLane, Throwable> failures = new HashMap<>();

  /**
   * @param lanes how many stores will answer
   */
  Round(int lanes) {
    this.lanes = lanes;
  }

  void succeeded(StoreLane lane) {
    lock.lock();
    try {
      done.add(lane);
      signalWhenComplete();
    } finally {
      lock.unlock();
    }
  }

  void failed(StoreLane lane, Throwable why) {
    lock.lock();
    try {
      failures.put(lane, why);
      signalWhenComplete();
    } finally {
      lock.unlock();
    }
  }

  // Only the last answer wakes the committing thread: a wake-up costs more than an append.
  private void signalWhenComplete() {
    if (done.size() + failures.size() == lanes) {
      changed.signal();
    }
  }

  /**
   * Waits until every store answered; after {@code wait} only for as many as are needed; after
   * {@code patience} for none.
   *
   * @return true when all answered
   */
  boolean await(Duration wait, int needed, Duration patience) throws InterruptedException {
    long left = wait.toNanos();
    long more = patience.minus(wait).toNanos();
    lock.lock();
    try {
      while (done.size() + failures.size() < lanes) {
        int open = lanes - done.size() - failures.size();
        boolean mayStillSucceed = done.size() < needed && done.size() + open >= needed;
        if (left <= 0) {
          if (more <= 0 || !mayStillSucceed) {
            return false;
          }
          left = more;
          more = 0;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  Set<StoreLane> done() {
    lock.lock();
    try {
      return Set.copyOf(done);
    } finally {
      lock.unlock();
    }
  }

  Map<StoreLane, Throwable> failures() {
    lock.lock();
    try {
      return Map.copyOf(failures);
    } finally {
      lock.unlock();
    }
  }
}
