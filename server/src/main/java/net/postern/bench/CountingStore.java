package net.postern.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import net.postern.blob.Appender;
import net.postern.blob.ObjectStore;

/**
 * A store that counts what is written to it, and that can be told to hang: appends then wait, as
 * they do on a disk or network that stopped answering without failing.
 */
final class CountingStore implements ObjectStore {
  private final ObjectStore store;
  private final LongAdder bytes = new LongAdder();
  private final LongAdder appends = new LongAdder();
  private volatile CountDownLatch gate = new CountDownLatch(0);

  CountingStore(ObjectStore store) {
    this.store = store;
  }

  ObjectStore inner() {
    return store;
  }

  /** Bytes that were handed over for writing. */
  long bytes() {
    return bytes.sum();
  }

  /** How many groups of frames were appended. */
  long appends() {
    return appends.sum();
  }

  void hang() {
    gate = new CountDownLatch(1);
  }

  void goOn() {
    gate.countDown();
  }

  private void pass() {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public Duration pace() {
    return store.pace();
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    pass();
    bytes.add(content.remaining());
    store.put(object, content);
  }

  @Override
  public Appender append(String object) throws IOException {
    pass();
    Appender inner = store.append(object);
    return new Appender() {
      @Override
      public void append(ByteBuffer content) throws IOException {
        pass();
        bytes.add(content.remaining());
        appends.increment();
        inner.append(content);
      }

      @Override
      public void truncate(long length) throws IOException {
        inner.truncate(length);
      }

      @Override
      public void close() throws IOException {
        inner.close();
      }
    };
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    return store.range(object, offset, length);
  }

  @Override
  public long length(String object) throws IOException {
    return store.length(object);
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    store.list(kind, each);
  }

  @Override
  public void delete(String object) throws IOException {
    store.delete(object);
  }

  @Override
  public long usableBytes() throws IOException {
    return store.usableBytes();
  }
}
