package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.blob.Appender;
import net.postern.blob.TimedStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One store's writer: a thread of its own, so that a store which hangs holds up nobody else. All
 * I/O of appending happens on that thread; the vault's committing thread only hands it one piece of
 * work at a time and waits for a bounded time.
 */
final class StoreLane implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StoreLane.class);

  /** Whether the store takes part. */
  enum State {
    UP,
    /** It failed, is nearly full or did not answer in time; upkeep tries it again. */
    DOWN
  }

  /** Something to do with the store's current appender. */
  private sealed interface Work {
    /** Appends to a segment, beginning it when {@code first}. */
    record Append(UUID segment, boolean first, ByteBuffer bytes, Round round) implements Work {}

    /** Takes back what was appended beyond a length. */
    record Truncate(UUID segment, long length) implements Work {}

    /** Ends the current segment. */
    record Seal() implements Work {}

    /** Ends the thread. */
    record Stop() implements Work {}
  }

  private final TimedStore store;
  private final BlockingQueue<Work> queue = new ArrayBlockingQueue<>(8);
  private final Thread thread;
  private volatile State state = State.UP;
  private volatile String why = "";
  private volatile boolean full;

  /** Whether people were told that it is down. */
  private final AtomicBoolean announced = new AtomicBoolean();

  /** Work that was handed over and is not finished. */
  private final AtomicInteger pending = new AtomicInteger();

  // Owned by the lane's thread.
  private Optional<Appender> appender = Optional.empty();

  StoreLane(TimedStore store) {
    this.store = store;
    this.thread = Thread.ofPlatform().name("store-" + store.name()).daemon().start(this::run);
  }

  TimedStore store() {
    return store;
  }

  boolean up() {
    return state == State.UP;
  }

  /** Why the store is down; empty when it is up. */
  String why() {
    return why;
  }

  /** Whether its thread still works on something, as when the store hangs. */
  boolean busy() {
    return pending.get() > 0;
  }

  /** Whether it is down for no other reason than that little space is free. */
  boolean full() {
    return full && state == State.DOWN && !busy();
  }

  void markDown(String reason) {
    full = false;
    why = reason;
    state = State.DOWN;
  }

  /** {@link #markDown}, because little space is free. */
  void markFull(String reason) {
    why = reason;
    state = State.DOWN;
    full = true;
  }

  void markUp() {
    full = false;
    why = "";
    announced.set(false);
    state = State.UP;
  }

  /**
   * Whether it is for the caller to tell people that it is down: the writer and the watch may
   * notice at the same moment, and one alarm is enough.
   */
  boolean announceDown() {
    return announced.compareAndSet(false, true);
  }

  /** Hands over an append; its outcome goes to the round. */
  void append(UUID segment, boolean first, ByteBuffer bytes, Round round) {
    offer(new Work.Append(segment, first, bytes, round));
  }

  void truncate(UUID segment, long length) {
    offer(new Work.Truncate(segment, length));
  }

  void seal() {
    offer(new Work.Seal());
  }

  private void offer(Work work) {
    pending.incrementAndGet();
    if (!queue.offer(work)) {
      pending.decrementAndGet();
      // Only a store that hangs has work piled up.
      markDown("it does not answer");
      if (work instanceof Work.Append append) {
        append.round().failed(this, new IOException("store " + store.name() + " does not answer"));
      }
    }
  }

  private void run() {
    while (true) {
      Work work;
      try {
        work = queue.take();
      } catch (InterruptedException e) {
        LOG.warn("writer of store {} was interrupted; it goes on", store.name());
        continue;
      }
      try {
        switch (work) {
          case Work.Append append -> doAppend(append);
          case Work.Truncate truncate -> doTruncate(truncate);
          case Work.Seal() -> closeAppender();
          case Work.Stop() -> {
            closeAppender();
            return;
          }
        }
      } finally {
        pending.decrementAndGet();
      }
    }
  }

  private void doAppend(Work.Append work) {
    try {
      if (work.first()) {
        closeAppender();
        appender = Optional.of(store.append(Segment.object(work.segment())));
      }
      Appender open =
          appender.orElseThrow(
              () -> new IOException("store " + store.name() + " has no open segment"));
      open.append(work.bytes());
      work.round().succeeded(this);
    } catch (IOException | RuntimeException | Error e) {
      // Out of memory too: a lane that died would look like a store that hangs, for ever.
      closeAppender();
      work.round().failed(this, e);
    }
  }

  private void doTruncate(Work.Truncate work) {
    try {
      if (appender.isPresent()) {
        appender.get().truncate(work.length());
      }
    } catch (IOException | RuntimeException | Error e) {
      // The frames stay as ones that were never acknowledged; at worst they are delivered as
      // duplicates.
      LOG.warn("store {}: could not take back an append to {}", store.name(), work.segment(), e);
    }
  }

  private void closeAppender() {
    try {
      if (appender.isPresent()) {
        appender.get().close();
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("store {}: closing a segment failed", store.name(), e);
    }
    appender = Optional.empty();
  }

  /** Finishes the work in hand; waits for at most five seconds. */
  @Override
  public void close() {
    try {
      pending.incrementAndGet();
      if (queue.offer(new Work.Stop(), 5, TimeUnit.SECONDS)) {
        thread.join(5_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
