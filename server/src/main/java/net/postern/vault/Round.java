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
  private final Map<StoreLane, Exception> failures = new HashMap<>();

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

  void failed(StoreLane lane, Exception why) {
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
   * Waits until every store answered, or {@code wait} has passed.
   *
   * @return true when all answered
   */
  boolean await(Duration wait) throws InterruptedException {
    long left = wait.toNanos();
    lock.lock();
    try {
      while (done.size() + failures.size() < lanes) {
        if (left <= 0) {
          return false;
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

  Map<StoreLane, Exception> failures() {
    lock.lock();
    try {
      return Map.copyOf(failures);
    } finally {
      lock.unlock();
    }
  }
}
