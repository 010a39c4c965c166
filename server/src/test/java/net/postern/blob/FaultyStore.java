package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * A store on bad hardware: fails, hangs, is slow, or breaks off in the middle of a write, as the
 * test says. Around a real store, so that what was written before is really there.
 */
public final class FaultyStore implements ObjectStore, AutoCloseable {

  /** How it behaves. */
  public enum Mood {
    GOOD,
    /** Every operation fails. */
    FAILING,
    /** Writes fail, reading works. */
    READ_ONLY,
    /** Writes put half of the bytes on the disk, then fail. */
    SHORT_WRITES,
    /** Writes wait until the mood changes, then go on. */
    HANGING,
    /** Every operation waits until the mood changes. */
    DEAF,
    /** Writes take 30 ms. */
    SLOW,
    /** No space: little is free and writes fail. */
    FULL,
    /** Every third operation fails. */
    FLAKY,
    /** Every third read gives bytes with one bit flipped. */
    CORRUPT_READS,
    /** Every third write says that it succeeded and has one bit flipped on the disk. */
    CORRUPT_WRITES,
    /** Files get times in 1970 and 2100. */
    CLOCK_WRONG
  }

  private final ObjectStore disk;
  private final GatedStore store;
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger operations = new AtomicInteger();
  private volatile long capacity = Long.MAX_VALUE;
  private volatile Duration listPause = Duration.ZERO;

  // Both at once: who hangs waits for the end of the very mood that made it hang.
  private volatile Order order = new Order(Mood.GOOD);

  /** A mood, and what is counted down when the next one comes. */
  private record Order(Mood mood, CountDownLatch over) {
    Order(Mood mood) {
      this(mood, new CountDownLatch(1));
    }
  }

  public FaultyStore(ObjectStore store) {
    this.disk = store;
    this.store = new GatedStore(store);
  }

  /** Ends what hangs; what is under way is finished, and from then on every operation fails. */
  @Override
  public void close() {
    mood(Mood.GOOD);
    store.close();
  }

  public synchronized void mood(Mood next) {
    Order before = order;
    order = new Order(next);
    before.over().countDown();
  }

  /** Makes listings slow: so much time passes before each object. */
  public void listPause(Duration pause) {
    listPause = pause;
  }

  /** Makes the disk smaller: it is full when its objects have so many bytes together. */
  public void capacity(long bytes) {
    capacity = bytes;
  }

  // Objects of all kinds; what they take beyond their bytes does not count.
  private long free() throws IOException {
    if (capacity == Long.MAX_VALUE) {
      return store.usableBytes();
    }
    AtomicLong held = new AtomicLong();
    for (String kind : List.of("keys", "journal", "settings", "segments", "probe", ASIDE)) {
      store.list(kind, each -> held.addAndGet(each.length()));
    }
    return Math.min(store.usableBytes(), Math.max(0, capacity - held.get()));
  }

  private void need(int bytes) throws IOException {
    if (capacity < Long.MAX_VALUE && free() < bytes) {
      throw new IOException("No space left on device");
    }
  }

  /** How many operations hang now. */
  public int waiting() {
    return waiting.get();
  }

  private void read() throws IOException {
    Order now = order;
    switch (now.mood()) {
      case FAILING -> throw new IOException("store failing, as ordered");
      case DEAF -> hang(now);
      case FLAKY -> failEveryThird();
      case GOOD,
          READ_ONLY,
          SHORT_WRITES,
          HANGING,
          SLOW,
          FULL,
          CORRUPT_READS,
          CORRUPT_WRITES,
          CLOCK_WRONG -> {}
    }
  }

  private void write() throws IOException {
    Order now = order;
    switch (now.mood()) {
      case FAILING, READ_ONLY -> throw new IOException("store failing, as ordered");
      case FULL -> throw new IOException("No space left on device");
      case HANGING, DEAF -> hang(now);
      case SLOW -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
      case FLAKY -> failEveryThird();
      case GOOD, SHORT_WRITES, CORRUPT_READS, CORRUPT_WRITES, CLOCK_WRONG -> {}
    }
  }

  private void failEveryThird() throws IOException {
    if (third()) {
      throw new IOException("store failing now and then, as ordered");
    }
  }

  private boolean third() {
    return operations.incrementAndGet() % 3 == 0;
  }

  // What really gets to the disk.
  private ByteBuffer written(ByteBuffer content) {
    if (order.mood() != Mood.CORRUPT_WRITES || !content.hasRemaining() || !third()) {
      return content;
    }
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    flip(bytes);
    return ByteBuffer.wrap(bytes);
  }

  private static void flip(byte[] bytes) {
    int at = ThreadLocalRandom.current().nextInt(bytes.length);
    bytes[at] ^= (byte) (1 << ThreadLocalRandom.current().nextInt(8));
  }

  private void stamp(String object) throws IOException {
    if (order.mood() == Mood.CLOCK_WRONG && disk instanceof DirectoryStore directory) {
      String name = object.substring(object.indexOf('/') + 1);
      Path file =
          directory
              .root()
              .resolve(object.substring(0, object.indexOf('/')))
              .resolve(name.substring(0, 2))
              .resolve(name);
      Files.setLastModifiedTime(
          file,
          FileTime.from(Instant.parse(third() ? "1970-01-01T00:00:00Z" : "2100-01-01T00:00:00Z")));
    }
  }

  private void hang(Order during) {
    waiting.incrementAndGet();
    try {
      if (!during.over().await(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nobody ended the hang");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      waiting.decrementAndGet();
    }
  }

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    write();
    need(content.remaining());
    if (order.mood() == Mood.SHORT_WRITES) {
      throw new IOException("store broke off, as ordered");
    }
    store.put(object, written(content));
    stamp(object);
  }

  @Override
  public Appender append(String object) throws IOException {
    write();
    Appender real = store.append(object);
    return new Appender() {
      @Override
      public void append(ByteBuffer content) throws IOException {
        write();
        need(content.remaining());
        if (order.mood() == Mood.SHORT_WRITES) {
          content.limit(content.position() + content.remaining() / 2);
          real.append(content);
          throw new IOException("store broke off, as ordered");
        }
        real.append(written(content));
        stamp(object);
      }

      @Override
      public void truncate(long length) throws IOException {
        write();
        real.truncate(length);
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    read();
    byte[] bytes = store.range(object, offset, length);
    if (order.mood() == Mood.CORRUPT_READS && bytes.length > 0 && third()) {
      flip(bytes);
    }
    return bytes;
  }

  @Override
  public long length(String object) throws IOException {
    read();
    return store.length(object);
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    read();
    store.list(
        kind,
        item -> {
          LockSupport.parkNanos(listPause.toNanos());
          each.accept(item);
        });
  }

  @Override
  public void strays(String kind, Consumer<Stray> each) throws IOException {
    read();
    store.strays(kind, each);
  }

  @Override
  public void clear(Stray stray) throws IOException {
    write();
    store.clear(stray);
  }

  @Override
  public void delete(String object) throws IOException {
    write();
    store.delete(object);
  }

  @Override
  public long usableBytes() throws IOException {
    read();
    return order.mood() == Mood.FULL ? 1024 : free();
  }
}
