package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A store of a process that is killed at one of its writes, before or just after it: from then on
 * nothing is written. Several stores share one {@link Killer}.
 */
public final class DyingStore extends ForwardingStore {
  private final Killer killer;

  public DyingStore(ObjectStore store, Killer killer) {
    super(store);
    this.killer = killer;
  }

  /** Counts writes to all stores of a process. */
  public static final class Killer {
    private final AtomicInteger writes = new AtomicInteger();
    private final int killAt;
    private final boolean after;

    /**
     * @param killAt number of the write, from 1; with 0 nothing is written at all
     * @param after whether that write is done yet
     */
    public Killer(int killAt, boolean after) {
      this.killAt = killAt;
      this.after = after;
    }

    /** Writes that were tried. */
    public int writes() {
      return writes.get();
    }

    // True when this write is done and then the process dies.
    private boolean write() throws IOException {
      int number = writes.incrementAndGet();
      if (number > killAt || (number == killAt && !after)) {
        throw new IOException("killed at write " + number);
      }
      return number == killAt;
    }
  }

  /** A write. */
  @FunctionalInterface
  private interface Write {
    void run() throws IOException;
  }

  private void write(Write write) throws IOException {
    boolean last = killer.write();
    write.run();
    if (last) {
      throw new IOException("killed after the write");
    }
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    write(() -> store.put(object, content));
  }

  // One write, of all of it: what is killed before its commit leaves nothing.
  @Override
  public Replacement replace(String object) throws IOException {
    return new GatheredReplacement(this, object);
  }

  @Override
  public Appender append(String object) throws IOException {
    Appender real = store.append(object);
    return new Appender() {
      @Override
      public void append(ByteBuffer content) throws IOException {
        write(() -> real.append(content));
      }

      @Override
      public void truncate(long length) throws IOException {
        write(() -> real.truncate(length));
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }

  @Override
  public void clear(Stray stray) throws IOException {
    write(() -> store.clear(stray));
  }

  @Override
  public void delete(String object) throws IOException {
    write(() -> store.delete(object));
  }
}
