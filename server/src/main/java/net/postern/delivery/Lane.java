package net.postern.delivery;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jobs for one hop and the workers that carry them. Each worker is a virtual thread that owns one
 * connection and keeps it for a while when there is nothing to do: there is no pool to fetch
 * connections from. The number of workers starts small and grows with success, so that a server
 * that hangs or is gone costs little; failure makes it small again. No more than half as many
 * workers as have had a success try their first connection at one time, and once a server has said
 * that it has enough of them, none is added for a while.
 *
 * <p>The lock guards the queue and the counts only; nothing waits for I/O under it.
 */
final class Lane {
  /** Workers before the first success. */
  private static final int FIRST_WORKERS = 2;

  /** A lane without success for so long is not trusted with a long queue. */
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Jobs that may wait for a hop that does not work at present. */
  static final int STALLED_QUEUE = 64;

  /** How long no connection is added when the server has refused one beside others. */
  private static final long CROWDED_NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final int MAX_REQUEUES = 3;

  /** How long a worker waits for memory to read a message into before the message is put off. */
  private static final Duration MEMORY_WAIT = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

  private final Hop hop;
  private final Shape shape;
  private final Supplier<Carrier> carriers;
  private final Consumer<Job> failed;
  private final BiConsumer<Lane, Job> crowdedOut;
  private final Consumer<Lane> onRetired;
  private final Outstanding threads;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final ArrayDeque<Job> queue = new ArrayDeque<>();
  private long queuedBytes;
  private int workers;
  private int idle;
  private int limit;

  /** Workers that have had a success. */
  private int proven;

  /** No worker is added before. */
  private long growFrom = System.nanoTime();

  private boolean retired;
  private boolean closing;
  private long lastGood = System.nanoTime();
  private Instant overflowSlot = Instant.MIN;

  /**
   * What all lanes have in common.
   *
   * @param maxWorkers connections to one hop
   * @param maxQueue jobs that may wait for a hop that works
   * @param stalledBytes bytes that may wait for one that does not
   * @param keep how long an idle worker keeps its connection
   * @param permits one for each attempt under way, over all lanes
   * @param memory for messages that are read from the vault, over all lanes
   */
  record Shape(
      int maxWorkers,
      int maxQueue,
      long stalledBytes,
      Duration keep,
      Semaphore permits,
      ReadRoom memory) {}

  /** What became of an offered job. */
  enum Offer {
    TAKEN,
    /** Too much waits already. */
    FULL,
    /** This lane ended; another one is to be made. */
    RETIRED,
    /** Delivery is shutting down. */
    CLOSED
  }

  /**
   * @param failed gets a job that nobody settled
   * @param crowdedOut gets a job that there was no memory for
   */
  Lane(
      Hop hop,
      Shape shape,
      Supplier<Carrier> carriers,
      Consumer<Job> failed,
      BiConsumer<Lane, Job> crowdedOut,
      Consumer<Lane> onRetired,
      Outstanding threads) {
    this.hop = hop;
    this.shape = shape;
    this.limit = Math.min(FIRST_WORKERS, shape.maxWorkers);
    this.carriers = carriers;
    this.failed = failed;
    this.crowdedOut = crowdedOut;
    this.onRetired = onRetired;
    this.threads = threads;
  }

  Hop hop() {
    return hop;
  }

  Offer offer(Job job) {
    lock.lock();
    try {
      if (closing) {
        return Offer.CLOSED;
      }
      if (retired) {
        return Offer.RETIRED;
      }
      boolean full =
          works()
              ? queue.size() >= shape.maxQueue
              : queue.size() >= STALLED_QUEUE || queuedBytes > shape.stalledBytes;
      if (full) {
        return Offer.FULL;
      }
      queue.addLast(job);
      queuedBytes += job.heldBytes();
      staff();
      return Offer.TAKEN;
    } finally {
      lock.unlock();
    }
  }

  /** Takes back what waits beyond the bound, when the hop has stopped working. */
  List<Job> shed() {
    lock.lock();
    try {
      List<Job> shed = new ArrayList<>();
      if (!works()) {
        while (queue.size() > STALLED_QUEUE) {
          Job job = queue.removeLast();
          queuedBytes -= job.heldBytes();
          shed.add(job);
        }
      }
      return shed;
    } finally {
      lock.unlock();
    }
  }

  /**
   * When a job that found no place should come back: each behind the one before, so that a long
   * backlog does not come back all at once.
   */
  Instant overflowSlot(Instant now, Duration wait, Duration spacing) {
    lock.lock();
    try {
      Instant earliest = now.plus(wait);
      Instant behind = overflowSlot.isBefore(earliest) ? earliest : overflowSlot.plus(spacing);
      overflowSlot = behind;
      return behind;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the workers once they have no job; returns what was still waiting. */
  List<Job> close() {
    lock.lock();
    try {
      closing = true;
      List<Job> rest = new ArrayList<>(queue);
      queue.clear();
      queuedBytes = 0;
      work.signalAll();
      return rest;
    } finally {
      lock.unlock();
    }
  }

  private boolean works() {
    return System.nanoTime() - lastGood < STALL_NANOS;
  }

  // Under the lock.
  private void staff() {
    if (idle > 0) {
      work.signal();
    }
    if (idle < queue.size() && workers < limit) {
      workers++;
      threads.add(1);
      Thread _ = Thread.ofVirtual().name("delivery").start(this::run);
    }
  }

  /** A worker's own. */
  private static final class Worker {
    final Carrier carrier;

    /** Whether it has had a success; guarded by the lock. */
    boolean proven;

    Worker(Carrier carrier) {
      this.carrier = carrier;
    }
  }

  private void run() {
    Worker worker = new Worker(carriers.get());
    boolean counted = true;
    try {
      for (Optional<Job> job = take(worker); job.isPresent(); job = take(worker)) {
        carry(worker, job.get());
      }
      counted = false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (counted) {
        leave(worker);
      }
      worker.carrier.close();
      threads.done(1);
    }
  }

  private void carry(Worker worker, Job job) throws InterruptedException {
    long bytes = job.bytesToRead();
    // Before the permit: whoever waits for memory holds up nobody else.
    boolean taken;
    try {
      taken = shape.memory.take(bytes, MEMORY_WAIT);
    } catch (InterruptedException e) {
      failed.accept(job);
      throw e;
    }
    if (!taken) {
      crowdedOut.accept(this, job);
      return;
    }
    try {
      attempt(worker, job);
    } finally {
      shape.memory.giveBack(bytes);
    }
  }

  private void attempt(Worker worker, Job job) {
    boolean others;
    lock.lock();
    try {
      // That the server takes mail from others is what tells "enough" from "gone".
      others = works() && proven > (worker.proven ? 1 : 0);
    } finally {
      lock.unlock();
    }
    Carrier.Hint hint;
    shape.permits.acquireUninterruptibly();
    try {
      hint = worker.carrier.carry(job, others && job.mayRequeue(MAX_REQUEUES));
    } catch (RuntimeException | Error e) {
      LOG.error("delivery of {} over {} failed", job.first().key(), hop, e);
      failed.accept(job);
      hint = Carrier.Hint.BAD;
    } finally {
      shape.permits.release();
    }
    if (!learn(hint, worker, job)) {
      failed.accept(job);
    }
  }

  /** Adjusts the number of workers; false when a job has no place to go back to. */
  private boolean learn(Carrier.Hint hint, Worker worker, Job job) {
    lock.lock();
    try {
      switch (hint) {
        case GOOD -> {
          lastGood = System.nanoTime();
          if (!worker.proven) {
            worker.proven = true;
            proven++;
          }
          boolean few = limit - proven < Math.max(1, proven / 2);
          if (limit < shape.maxWorkers && few && lastGood - growFrom >= 0) {
            limit++;
            staff();
          }
        }
        case BAD -> {
          disprove(worker);
          limit = Math.min(FIRST_WORKERS, shape.maxWorkers);
        }
        case NONE -> {}
        case CROWDED -> {
          if (closing) {
            return false;
          }
          disprove(worker);
          limit = Math.max(1, workers - 1);
          growFrom = System.nanoTime() + CROWDED_NANOS;
          queue.addFirst(job);
          queuedBytes += job.heldBytes();
          if (idle > 0) {
            work.signal();
          }
        }
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  // Under the lock.
  private void disprove(Worker worker) {
    if (worker.proven) {
      worker.proven = false;
      proven--;
    }
  }

  /** Waits for a job; empty when the worker is to end (and has been counted out). */
  private Optional<Job> take(Worker worker) throws InterruptedException {
    long nanos = shape.keep.toNanos();
    lock.lock();
    try {
      while (true) {
        if (workers > limit) {
          leaveLocked(worker);
          return Optional.empty();
        }
        Job job = queue.pollFirst();
        if (job != null) {
          queuedBytes -= job.heldBytes();
          return Optional.of(job);
        }
        if (closing || nanos <= 0) {
          leaveLocked(worker);
          return Optional.empty();
        }
        idle++;
        try {
          nanos = work.awaitNanos(nanos);
        } finally {
          idle--;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void leave(Worker worker) {
    lock.lock();
    try {
      leaveLocked(worker);
    } finally {
      lock.unlock();
    }
  }

  private void leaveLocked(Worker worker) {
    disprove(worker);
    workers--;
    if (workers == 0 && queue.isEmpty()) {
      retired = true;
      onRetired.accept(this);
    }
    if (!queue.isEmpty()) {
      staff();
    }
  }
}
