package net.postern.blob;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A store that answers within a bounded time, whatever the place behind it does: a call that takes
 * longer fails. A disk or a network file system that hangs cannot be interrupted, so each call is
 * made on a thread of a pool that is this store's own, and left to itself when it hangs. When
 * {@value #MAX_HANGING} calls hang, further ones fail at once.
 *
 * <p>A write that nobody waits for any longer may still happen, at any later time. So that it
 * cannot undo a later one, further writes of the same object fail until it has ended.
 *
 * <p>Objects that grow are written on the caller's thread, without a limit: the vault's lanes have
 * threads and limits of their own. Everything is measured ({@link #meter}).
 */
public final class TimedStore implements ObjectStore {
  /** Calls that hang before further ones fail at once. */
  static final int MAX_HANGING = 8;

  /** Most calls at the same time; others wait, as a part of their time. */
  private static final int THREADS = 32;

  /** Most calls that wait for a thread. */
  private static final int QUEUE = 4_096;

  /** Objects of a listing that are handed over together. */
  private static final int BATCH = 256;

  /** Bytes a second that the slowest store is expected to move: large calls get more time. */
  private static final long SLOWEST_RATE = 1 << 20;

  private final ObjectStore store;
  private final long waitNanos;
  private final StoreMeter meter = new StoreMeter();
  private final ThreadPoolExecutor pool;
  private final ConcurrentHashMap<String, CompletableFuture<?>> writes = new ConcurrentHashMap<>();

  private TimedStore(ObjectStore store, Duration wait) {
    this.store = store;
    this.waitNanos = wait.toNanos();
    this.pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(QUEUE),
            Thread.ofPlatform().name("store-" + store.name() + "-io-", 0).daemon().factory());
    pool.allowCoreThreadTimeOut(true);
  }

  /**
   * Bounds a store.
   *
   * @param wait longest time for a small call; larger ones get a second more for each MiB, and a
   *     listing so much for each object
   * @return the store itself when it is bounded already
   */
  public static TimedStore around(ObjectStore store, Duration wait) {
    return store instanceof TimedStore timed ? timed : new TimedStore(store, wait);
  }

  /** The store itself, when it is one that was bounded. */
  public static ObjectStore behind(ObjectStore store) {
    return store instanceof TimedStore timed ? timed.store : store;
  }

  /** What was asked of the store, and how it did. */
  public StoreMeter meter() {
    return meter;
  }

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public String toString() {
    return store.toString();
  }

  // ---- calls ----

  @FunctionalInterface
  private interface Work<T> {
    T run() throws IOException;
  }

  private enum State {
    WAITS,
    RUNS,
    ENDED,
    GIVEN_UP
  }

  /** One call, on its way or ended. */
  private final class Call<T> implements Runnable {
    private final StoreMeter.Call sort;
    private final long bytes;
    private final Work<T> work;
    private final CompletableFuture<T> answer = new CompletableFuture<>();

    /** Completed when the work has ended, whether anybody waits for it or not. */
    private final CompletableFuture<Void> over = new CompletableFuture<>();

    private State state = State.WAITS;

    Call(StoreMeter.Call sort, long bytes, Work<T> work) {
      this.sort = sort;
      this.bytes = bytes;
      this.work = work;
    }

    private synchronized boolean move(State from, State to) {
      boolean moved = state == from;
      state = moved ? to : state;
      return moved;
    }

    @Override
    public void run() {
      if (!move(State.WAITS, State.RUNS)) {
        return;
      }
      long start = System.nanoTime();
      meter.began();
      boolean good = false;
      try {
        T result = work.run();
        good = true;
        done(start, true);
        answer.complete(result);
      } catch (NoSuchFileException | EOFException | IllegalArgumentException e) {
        good = true;
        done(start, true);
        answer.completeExceptionally(e);
      } catch (Throwable e) {
        if (!good) {
          done(start, false);
        }
        answer.completeExceptionally(e);
      }
    }

    private void done(long start, boolean good) {
      meter.ended(sort, System.nanoTime() - start, bytes, good);
      if (!move(State.RUNS, State.ENDED)) {
        meter.endedAfterAll();
      }
      over.complete(null);
    }

    void giveUp() {
      if (move(State.RUNS, State.GIVEN_UP)) {
        meter.givenUp(sort);
      } else if (move(State.WAITS, State.GIVEN_UP)) {
        over.complete(null);
      }
    }

    T await(long nanos) throws IOException {
      try {
        return answer.get(nanos, TimeUnit.NANOSECONDS);
      } catch (ExecutionException e) {
        throw rethrown(Objects.requireNonNullElse(e.getCause(), e));
      } catch (TimeoutException e) {
        giveUp();
        throw new IOException(
            "store %s: no answer within %d ms"
                .formatted(name(), TimeUnit.NANOSECONDS.toMillis(nanos)),
            e);
      } catch (InterruptedException e) {
        giveUp();
        Thread.currentThread().interrupt();
        InterruptedIOException stopped =
            new InterruptedIOException("interrupted while store " + name() + " was asked");
        stopped.initCause(e);
        throw stopped;
      }
    }
  }

  private static IOException rethrown(Throwable cause) {
    return switch (cause) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> new IOException(cause);
    };
  }

  private <T> Call<T> begin(StoreMeter.Call sort, long bytes, Work<T> work) throws IOException {
    if (meter.hanging() >= MAX_HANGING) {
      throw new IOException(
          "store %s does not answer: %d calls hang".formatted(name(), meter.hanging()));
    }
    Call<T> call = new Call<>(sort, bytes, work);
    try {
      pool.execute(call);
    } catch (RejectedExecutionException e) {
      throw new IOException("store " + name() + " is asked too much at once", e);
    }
    return call;
  }

  private long limit(long bytes) {
    return waitNanos + TimeUnit.SECONDS.toNanos(1) / SLOWEST_RATE * bytes;
  }

  private <T> T call(StoreMeter.Call sort, long bytes, Work<T> work) throws IOException {
    return begin(sort, bytes, work).await(limit(bytes));
  }

  private void write(String object, StoreMeter.Call sort, long bytes, Work<Boolean> work)
      throws IOException {
    write(object, sort, bytes, limit(bytes), work);
  }

  private void write(
      String object, StoreMeter.Call sort, long bytes, long nanos, Work<Boolean> work)
      throws IOException {
    CompletableFuture<Void> mine = new CompletableFuture<>();
    claim(object, mine);
    Call<Boolean> call;
    try {
      call = begin(sort, bytes, work);
    } catch (IOException | RuntimeException | Error e) {
      writes.remove(object, mine);
      mine.complete(null);
      throw e;
    }
    var _ =
        call.over.whenComplete(
            (nothing, failure) -> {
              writes.remove(object, mine);
              mine.complete(null);
            });
    call.await(nanos);
  }

  private void claim(String object, CompletableFuture<Void> mine) throws IOException {
    long end = System.nanoTime() + waitNanos;
    for (CompletableFuture<?> other = writes.putIfAbsent(object, mine);
        other != null;
        other = writes.putIfAbsent(object, mine)) {
      try {
        other.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        throw new IOException(
            "store %s: an earlier write of %s still hangs".formatted(name(), object), e);
      } catch (ExecutionException e) {
        throw rethrown(Objects.requireNonNullElse(e.getCause(), e));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while waiting to write " + object, e);
      }
    }
  }

  // ---- the store ----

  /**
   * Begins to read a part. The future fails when the answer takes too long; a read that nobody
   * needs any longer may be left to itself.
   */
  public CompletableFuture<byte[]> ask(String object, long offset, int length) {
    try {
      Call<byte[]> call =
          begin(StoreMeter.Call.READ, length, () -> store.range(object, offset, length));
      CompletableFuture<byte[]> answer = call.answer;
      var _ =
          answer
              .orTimeout(limit(length), TimeUnit.NANOSECONDS)
              .whenComplete(
                  (bytes, failure) -> {
                    if (failure instanceof TimeoutException) {
                      call.giveUp();
                    }
                  });
      return answer;
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    return call(StoreMeter.Call.READ, length, () -> store.range(object, offset, length));
  }

  @Override
  public long length(String object) throws IOException {
    return call(StoreMeter.Call.LOOK, 0, () -> store.length(object));
  }

  @Override
  public Duration pace() {
    return store.pace();
  }

  @Override
  public long usableBytes() throws IOException {
    return call(StoreMeter.Call.LOOK, 0, store::usableBytes);
  }

  /** The content must not be changed after a failure: a call that hangs may still read it. */
  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    ByteBuffer bytes = content.duplicate();
    write(
        object,
        StoreMeter.Call.WRITE,
        bytes.remaining(),
        () -> {
          store.put(object, bytes);
          return true;
        });
    content.position(content.limit());
  }

  @Override
  public void delete(String object) throws IOException {
    write(
        object,
        StoreMeter.Call.DELETE,
        0,
        () -> {
          store.delete(object);
          return true;
        });
  }

  @Override
  public void clear(Stray stray) throws IOException {
    call(
        StoreMeter.Call.DELETE,
        0,
        () -> {
          store.clear(stray);
          return true;
        });
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    listing(each, items -> store.list(kind, items));
  }

  @Override
  public void list(String kind, String prefix, Consumer<Listed> each) throws IOException {
    listing(each, items -> store.list(kind, prefix, items));
  }

  @Override
  public void strays(String kind, Consumer<Stray> each) throws IOException {
    listing(each, items -> store.strays(kind, items));
  }

  @FunctionalInterface
  private interface Lister<T> {
    void list(Consumer<T> each) throws IOException;
  }

  /** A listing that its caller has left. */
  private static final class Abandoned extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Abandoned() {
      super("nobody waits for this listing", null, false, false);
    }
  }

  /**
   * Hands a listing over to the caller's thread: a consumer is not to be called after a failure.
   */
  private static final class Handover<T> {
    private final BlockingQueue<List<T>> batches = new ArrayBlockingQueue<>(4);
    private List<T> batch = new ArrayList<>(BATCH);
    private volatile long moved = System.nanoTime();
    private volatile boolean abandoned;

    void add(T item) {
      moved = System.nanoTime();
      batch.add(item);
      if (batch.size() == BATCH) {
        flush();
      }
    }

    void flush() {
      try {
        while (!batches.offer(batch, 50, TimeUnit.MILLISECONDS)) {
          if (abandoned) {
            throw new Abandoned();
          }
          moved = System.nanoTime();
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted while listing", e);
      }
      batch = new ArrayList<>(BATCH);
    }
  }

  private <T> void listing(Consumer<T> each, Lister<T> lister) throws IOException {
    Handover<T> handover = new Handover<>();
    Call<Boolean> call =
        begin(
            StoreMeter.Call.LIST,
            0,
            () -> {
              handover.moved = System.nanoTime();
              lister.list(handover::add);
              handover.flush();
              return true;
            });
    // Wakes the caller at the end, if there is room; if not it is awake.
    var _ = call.answer.whenComplete((done, failure) -> handover.batches.offer(List.of()));
    try {
      while (true) {
        // Whether it has ended is asked first: nothing is handed over after that.
        boolean ended = call.answer.isDone();
        List<T> batch = handover.batches.poll(ended ? 0 : 20, TimeUnit.MILLISECONDS);
        if (batch != null) {
          batch.forEach(each);
        } else if (ended) {
          call.await(0);
          return;
        } else if (System.nanoTime() - handover.moved > waitNanos) {
          call.giveUp();
          throw new IOException(
              "store %s: its listing stands still for %d ms"
                  .formatted(name(), TimeUnit.NANOSECONDS.toMillis(waitNanos)));
        }
      }
    } catch (InterruptedException e) {
      call.giveUp();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while listing store " + name(), e);
    } finally {
      handover.abandoned = true;
    }
  }

  @Override
  public Replacement replace(String object) throws IOException {
    return new TimedReplacement(object, call(StoreMeter.Call.LOOK, 0, () -> store.replace(object)));
  }

  private final class TimedReplacement implements Replacement {
    private final String object;
    private final Replacement real;
    private final AtomicInteger hung = new AtomicInteger();
    private long written;

    TimedReplacement(String object, Replacement real) {
      this.object = object;
      this.real = real;
    }

    /** As with {@link #put}: the content must not be changed after a failure. */
    @Override
    public void write(ByteBuffer content) throws IOException {
      ByteBuffer bytes = content.duplicate();
      int length = bytes.remaining();
      Call<Boolean> call =
          begin(
              StoreMeter.Call.WRITE,
              length,
              () -> {
                real.write(bytes);
                return true;
              });
      follow(call);
      call.await(limit(length));
      content.position(content.limit());
      written += length;
    }

    /** Some places do all their work only here, so it gets time for all the bytes. */
    @Override
    public void commit() throws IOException {
      TimedStore.this.write(
          object,
          StoreMeter.Call.WRITE,
          0,
          limit(written),
          () -> {
            hung.incrementAndGet();
            try {
              real.commit();
            } finally {
              ended();
            }
            return true;
          });
    }

    private void follow(Call<Boolean> call) {
      hung.incrementAndGet();
      var _ = call.over.whenComplete((nothing, failure) -> ended());
    }

    // Whoever is last closes: a step that hangs must not have its file closed under its feet.
    private static final int CLOSING = 1 << 16;

    private void ended() {
      if (hung.decrementAndGet() == CLOSING) {
        closeQuietly();
      }
    }

    private void closeQuietly() {
      try {
        real.close();
      } catch (IOException e) {
        // An unfinished write stays; scrub removes it.
      }
    }

    @Override
    public void close() throws IOException {
      if (hung.addAndGet(CLOSING) == CLOSING) {
        call(
            StoreMeter.Call.LOOK,
            0,
            () -> {
              real.close();
              return true;
            });
      }
    }
  }

  @Override
  public Appender append(String object) throws IOException {
    Appender real = measured(0, () -> store.append(object));
    return new Appender() {
      @Override
      public void append(ByteBuffer content) throws IOException {
        measured(
            content.remaining(),
            () -> {
              real.append(content);
              return true;
            });
      }

      @Override
      public void truncate(long length) throws IOException {
        measured(
            0,
            () -> {
              real.truncate(length);
              return true;
            });
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }

  private <T> T measured(long bytes, Work<T> work) throws IOException {
    long start = System.nanoTime();
    boolean good = false;
    meter.began();
    try {
      T result = work.run();
      good = true;
      return result;
    } finally {
      meter.ended(StoreMeter.Call.APPEND, System.nanoTime() - start, bytes, good);
    }
  }
}
