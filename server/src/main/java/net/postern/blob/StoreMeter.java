package net.postern.blob;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** What one store was asked, how long it took, and how often it failed. Safe for many threads. */
public final class StoreMeter {

  /** Sorts of calls. */
  public enum Call {
    READ,
    WRITE,
    APPEND,
    LIST,
    DELETE,
    /** Length of an object, free space. */
    LOOK
  }

  /** Reads whose time is remembered. */
  private static final int RECENT = 256;

  /** The quantile is worked out anew after so many reads. */
  private static final int EVERY = 32;

  private static final double QUANTILE = 0.95;

  private final Map<Call, Sums> sums = new EnumMap<>(Call.class);
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger hanging = new AtomicInteger();
  private final AtomicLongArray recent = new AtomicLongArray(RECENT);
  private final AtomicLong reads = new AtomicLong();
  private volatile long slowReadNanos;

  private static final class Sums {
    final LongAdder calls = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder nanos = new LongAdder();
    final LongAdder bytes = new LongAdder();
  }

  StoreMeter() {
    for (Call call : Call.values()) {
      sums.put(call, new Sums());
    }
  }

  /**
   * Totals since start of one sort of call.
   *
   * @param failures those that gave an error or did not answer in time; an object that is not there
   *     is an answer
   * @param nanos time of all that ended
   */
  public record Totals(long calls, long failures, long nanos, long bytes) {}

  public Totals totals(Call call) {
    Sums of = of(call);
    return new Totals(of.calls.sum(), of.failures.sum(), of.nanos.sum(), of.bytes.sum());
  }

  private Sums of(Call call) {
    return Objects.requireNonNull(sums.get(call));
  }

  /** Calls that have not ended, those that hang among them. */
  public int underWay() {
    return underWay.get();
  }

  /** Calls that nobody waits for any longer and that have not ended. */
  public int hanging() {
    return hanging.get();
  }

  /** The time within which 19 of 20 of the latest reads ended, nanoseconds; 0 before the first. */
  public long slowReadNanos() {
    return slowReadNanos;
  }

  void began() {
    underWay.incrementAndGet();
  }

  void ended(Call call, long nanos, long bytes, boolean good) {
    underWay.decrementAndGet();
    Sums of = of(call);
    of.calls.increment();
    of.nanos.add(nanos);
    if (!good) {
      of.failures.increment();
      return;
    }
    of.bytes.add(bytes);
    if (call == Call.READ) {
      long number = reads.getAndIncrement();
      recent.set((int) (number % RECENT), nanos);
      if (number % EVERY == 0) {
        slowReadNanos = quantile((int) Math.min(number + 1, RECENT));
      }
    }
  }

  void givenUp(Call call) {
    hanging.incrementAndGet();
    of(call).failures.increment();
  }

  void endedAfterAll() {
    hanging.decrementAndGet();
  }

  private long quantile(int filled) {
    long[] times = new long[filled];
    for (int i = 0; i < filled; i++) {
      times[i] = recent.get(i);
    }
    Arrays.sort(times);
    return times[(int) ((filled - 1) * QUANTILE)];
  }
}
