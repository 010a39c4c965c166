package net.postern.batch;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that takes what has queued up and commits it as one group. A lone item is committed at
 * once; under load groups grow by themselves to what arrives during one commit.
 *
 * <p>Threads: {@link #submit} may be called by any thread and blocks while the queue is full, which
 * is how a slow disk or database slows the senders down instead of filling memory. The {@link
 * Committer} runs on this object's one platform thread only.
 *
 * @param <T> an item
 * @param <R> what its submitter gets
 */
public final class GroupCommit<T, R> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  /**
   * An item and the promise to its submitter. The committer completes every promise of its group.
   */
  public record Item<T, R>(T value, CompletableFuture<R> promise) {}

  /** Commits a group. */
  @FunctionalInterface
  public interface Committer<T, R> {

    /**
     * Makes the items durable and completes each promise, normally or not. A promise it leaves
     * open, or an exception, is reported to the submitters as failure.
     */
    void commit(List<Item<T, R>> group) throws Exception;
  }

  /**
   * Bounds of one group and of the queue before it.
   *
   * @param items most items in a group
   * @param weight most weight (bytes, rows) in a group; a single heavier item still goes alone
   * @param queue most items that wait
   * @param linger how long a group waits for company when the one before had company: several
   *     submitters are at work then, and fewer, larger groups serve all of them sooner. A lone item
   *     after a lone item does not wait. Zero: never
   */
  public record Limits(int items, long weight, int queue, Duration linger) {}

  private final BlockingQueue<Item<T, R>> queue;
  private final Limits limits;
  private final ToLongFunction<T> weigher;
  private final Committer<T, R> committer;
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Starts the committing thread.
   *
   * @param name of the thread
   * @param weigher weight of an item, in the unit of {@link Limits#weight}
   */
  public GroupCommit(
      String name, Limits limits, ToLongFunction<T> weigher, Committer<T, R> committer) {
    this.queue = new ArrayBlockingQueue<>(limits.queue());
    this.limits = limits;
    this.weigher = weigher;
    this.committer = committer;
    this.thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  /**
   * Queues an item; waits while the queue is full.
   *
   * @return completes when the item's group is committed
   * @throws RejectedExecutionException after {@link #close}
   */
  public CompletableFuture<R> submit(T value) throws InterruptedException {
    CompletableFuture<R> promise = new CompletableFuture<>();
    if (closed) {
      throw new RejectedExecutionException(thread.getName() + " is closed");
    }
    queue.put(new Item<>(value, promise));
    if (closed && !thread.isAlive()) {
      failRemaining();
    }
    return promise;
  }

  /** How many items wait for the next group. */
  public int waiting() {
    return queue.size();
  }

  /** Commits what is queued, then ends the thread; waits for at most a minute. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      if (!thread.join(Duration.ofMinutes(1))) {
        LOG.error("{} did not end within a minute", thread.getName());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    failRemaining();
  }

  private void run() {
    List<Item<T, R>> group = new ArrayList<>();
    Item<T, R> next = null;
    int last = 1;
    while (true) {
      if (next == null) {
        next = take();
        if (next == null) {
          return;
        }
        if (last > 1 && !closed && queue.size() < last) {
          LockSupport.parkNanos(limits.linger().toNanos());
        }
      }
      group.add(next);
      long weight = weigher.applyAsLong(next.value());
      next = null;
      while (group.size() < limits.items() && (next = queue.poll()) != null) {
        long more = weigher.applyAsLong(next.value());
        if (weight + more > limits.weight()) {
          break;
        }
        weight += more;
        group.add(next);
        next = null;
      }
      last = group.size();
      commit(group);
      group.clear();
    }
  }

  // Empty (null) only when closed and drained.
  private @org.jspecify.annotations.Nullable Item<T, R> take() {
    while (true) {
      if (closed) {
        return queue.poll();
      }
      try {
        return queue.take();
      } catch (InterruptedException e) {
        // close() wakes us; the loop then drains what is left.
        if (!closed) {
          LOG.warn("{} was interrupted; it goes on", thread.getName());
        }
      }
    }
  }

  private void commit(List<Item<T, R>> group) {
    Throwable failure = new IllegalStateException("the committer left an item undecided");
    try {
      // The interrupt that close() sends is for take(); a commit must not see it: an interrupted
      // FileChannel closes itself.
      Thread.interrupted();
      committer.commit(group);
    } catch (Exception | Error e) {
      failure = e;
      LOG.error("{}: a group of {} failed", thread.getName(), group.size(), e);
    }
    for (Item<T, R> item : group) {
      if (!item.promise().isDone()) {
        item.promise().completeExceptionally(failure);
      }
    }
  }

  private void failRemaining() {
    Item<T, R> item;
    while ((item = queue.poll()) != null) {
      item.promise()
          .completeExceptionally(new RejectedExecutionException(thread.getName() + " is closed"));
    }
  }
}
