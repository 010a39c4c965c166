package net.postern.batch;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does something again and again, on a thread of its own, until closed. What fails is tried again
 * at the next turn; it is told when it begins to fail and when it ends, not in between.
 */
public final class PeriodicJob implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PeriodicJob.class);

  /** What is done. */
  @FunctionalInterface
  public interface Action {
    void run() throws Exception;
  }

  private final String name;
  private final Duration interval;
  private final Action action;
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Starts the thread; the first turn comes after one interval.
   *
   * @param name of the thread, and in the log
   * @param interval from the end of one turn to the next
   */
  public PeriodicJob(String name, Duration interval, Action action) {
    this.name = name;
    this.interval = interval;
    this.action = action;
    this.thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  private void run() {
    boolean failing = false;
    while (true) {
      long until = System.nanoTime() + interval.toNanos();
      while (!closed && until - System.nanoTime() > 0) {
        LockSupport.parkNanos(until - System.nanoTime());
      }
      if (closed) {
        return;
      }
      try {
        action.run();
        if (failing) {
          LOG.info("{} works again", name);
          failing = false;
        }
      } catch (Exception e) {
        if (!failing) {
          LOG.error("{} failed; it is tried again", name, e);
          failing = true;
        }
      }
    }
  }

  /** Ends the thread; waits for at most five seconds for a turn that is under way. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
