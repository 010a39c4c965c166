package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * A store for work that has time: reads and writes of objects are kept to a rate, so that they
 * leave the place to others. What is small or rare (listing, deleting, asking for a length) is not.
 */
public final class PacedStore extends ForwardingStore {
  /** Longest pause before it is asked again whether to hurry. */
  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final double nanosPerByte;
  private final Supplier<Boolean> hurry;
  private final AtomicLong bytes = new AtomicLong();

  /** When the place is free again. */
  private final AtomicLong free = new AtomicLong(System.nanoTime());

  /**
   * @param rate bytes a second, at least 1
   * @param hurry asked while pausing: whether the rate does not matter any longer, as when the
   *     program ends
   */
  public PacedStore(ObjectStore store, long rate, Supplier<Boolean> hurry) {
    super(store);
    this.nanosPerByte = (double) Duration.ofSeconds(1).toNanos() / Math.max(1, rate);
    this.hurry = hurry;
  }

  /** Bytes that were read and written through this. */
  public long bytes() {
    return bytes.get();
  }

  // The pause comes first: so the rate holds from the first byte on.
  private void pace(long amount) {
    bytes.addAndGet(amount);
    long need = (long) (amount * nanosPerByte);
    long until = free.accumulateAndGet(need, (at, more) -> Math.max(at, System.nanoTime()) + more);
    for (long left = until - System.nanoTime();
        left > 0 && !hurry.get() && !Thread.currentThread().isInterrupted();
        left = until - System.nanoTime()) {
      LockSupport.parkNanos(Math.min(left, STEP_NANOS));
    }
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    pace(length);
    return store.range(object, offset, length);
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    pace(content.remaining());
    store.put(object, content);
  }

  @Override
  public Replacement replace(String object) throws IOException {
    Replacement real = store.replace(object);
    return new Replacement() {
      @Override
      public void write(ByteBuffer content) throws IOException {
        pace(content.remaining());
        real.write(content);
      }

      @Override
      public void commit() throws IOException {
        real.commit();
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }
}
