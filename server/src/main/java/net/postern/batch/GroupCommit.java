package net.postern.batch;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that takes what has queued up and commits it as one group. A lone item is committed at
 * once; under load groups grow by themselves to what arrives during one commit.
 *
 * <p>Threads: {@link #submit} may be called by any thread and blocks while the queue is full, which
 * is how a slow disk or database slows the senders down instead of filling memory. The {@link
 * Committer} runs on this object's one platform thread only, which nobody interrupts: a commit that
 * was cut off in the middle would leave its caller not knowing how far it came.
 *
 * <p>Every promise is completed: by the committer, or as a failure when the committer leaves it
 * open, throws, or does not come back before {@link #close} gives up.
 *
 * @param <T> an item
 * @param <R> what its submitter gets
 */
public final class GroupCommit<T, R> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);
  private static final Duration CLOSE_LIMIT = Duration.ofMinutes(1);

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
     *
     * @param group in the order in which the items were submitted
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
   * @param pace shortest time from the beginning of one group to that of the next, unless what
   *     waits fills a group: where each commit costs money, as a request does, it bounds how many
   *     there are. An item that comes later than that after the last group does not wait. Zero:
   *     none
   */
  public record Limits(int items, long weight, int queue, Duration linger, Duration pace) {

    /** Without a pace. */
    public Limits(int items, long weight, int queue, Duration linger) {
      this(items, weight, queue, linger, Duration.ZERO);
    }
  }

  private record Queued<T, R>(Item<T, R> item, long weight) {}

  private final Limits limits;
  private final ToLongFunction<T> weigher;
  private final Committer<T, R> committer;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Condition room = lock.newCondition();

  // Guarded by the lock, as is `closed`: what is queued before close is committed, what comes after
  // is rejected, and nothing falls in between.
  private final Deque<Queued<T, R>> queue = new ArrayDeque<>();
  private List<Item<T, R>> inHand = List.of();
  private long queuedWeight;
  private boolean pacing;
  private boolean closed;

  // When the last group was taken; owned by the thread.
  private long begun;

  // Arrivals must not wake a thread that lingers to save wake-ups; only close, and a full group.
  private final Condition ending = lock.newCondition();

  /**
   * Starts the committing thread.
   *
   * @param name of the thread
   * @param weigher weight of an item, in the unit of {@link Limits#weight}
   */
  public GroupCommit(
      String name, Limits limits, ToLongFunction<T> weigher, Committer<T, R> committer) {
    this.limits = limits;
    this.weigher = weigher;
    this.committer = committer;
    this.begun = System.nanoTime() - limits.pace().toNanos();
    this.thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  /**
   * Queues an item; waits while the queue is full.
   *
   * @return completes when the item's group is committed
   * @throws RejectedExecutionException after {@link #close}, also for those that were waiting
   */
  public CompletableFuture<R> submit(T value) throws InterruptedException {
    Item<T, R> item = new Item<>(value, new CompletableFuture<>());
    Queued<T, R> queued = new Queued<>(item, weigher.applyAsLong(value));
    lock.lockInterruptibly();
    try {
      while (!closed && queue.size() >= limits.queue()) {
        room.await();
      }
      if (closed) {
        throw rejected();
      }
      queue.add(queued);
      queuedWeight += queued.weight();
      arrived.signal();
      if (pacing && fillsGroup()) {
        ending.signal();
      }
    } finally {
      lock.unlock();
    }
    return item.promise();
  }

  /** How many items wait for the next group. */
  public int waiting() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Commits what is queued, then ends the thread. Waits for at most a minute; what is not committed
   * by then is reported as failed, although a commit under way may still succeed.
   */
  @Override
  public void close() {
    close(CLOSE_LIMIT);
  }

  void close(Duration limit) {
    lock.lock();
    try {
      closed = true;
      arrived.signal();
      ending.signal();
      room.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      if (!thread.join(limit)) {
        LOG.error("{} did not end within {}", thread.getName(), limit);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    List<Item<T, R>> left = new ArrayList<>();
    lock.lock();
    try {
      left.addAll(inHand);
      queue.forEach(queued -> left.add(queued.item()));
      queue.clear();
      queuedWeight = 0;
    } finally {
      lock.unlock();
    }
    left.forEach(item -> item.promise().completeExceptionally(rejected()));
  }

  private RejectedExecutionException rejected() {
    return new RejectedExecutionException(thread.getName() + " is closed");
  }

  private void run() {
    while (true) {
      List<Item<T, R>> group = take();
      if (group.isEmpty()) {
        return;
      }
      commit(group);
    }
  }

  // The next group; empty only when closed and drained.
  private List<Item<T, R>> take() {
    lock.lock();
    try {
      int last = inHand.size();
      inHand = List.of();
      while (queue.isEmpty()) {
        if (closed) {
          return List.of();
        }
        arrived.awaitUninterruptibly();
      }
      if (last > 1) {
        linger(last);
      }
      pace();
      begun = System.nanoTime();
      List<Item<T, R>> group = new ArrayList<>();
      long weight = 0;
      Queued<T, R> next;
      while ((next = queue.peek()) != null
          && group.size() < limits.items()
          && (group.isEmpty() || weight + next.weight() <= limits.weight())) {
        queue.remove();
        queuedWeight -= next.weight();
        group.add(next.item());
        weight += next.weight();
      }
      room.signalAll();
      inHand = group;
      return group;
    } finally {
      lock.unlock();
    }
  }

  private void pace() {
    long until = begun + limits.pace().toNanos();
    pacing = true;
    try {
      long left;
      while (!closed && !fillsGroup() && (left = until - System.nanoTime()) > 0) {
        long unused = ending.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      LOG.warn("{} was interrupted; it goes on", thread.getName());
    } finally {
      pacing = false;
    }
  }

  private boolean fillsGroup() {
    return queue.size() >= limits.items() || queuedWeight >= limits.weight();
  }

  private void linger(int company) {
    long left = limits.linger().toNanos();
    try {
      while (left > 0 && queue.size() < company && !closed) {
        left = ending.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      LOG.warn("{} was interrupted; it goes on", thread.getName());
    }
  }

  private void commit(List<Item<T, R>> group) {
    Throwable failure = new IllegalStateException("the committer left an item undecided");
    try {
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
}
