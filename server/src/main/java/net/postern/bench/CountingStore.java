package net.postern.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import net.postern.blob.Appender;
import net.postern.blob.ForwardingStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replacement;

/**
 * A store that counts what is written to it, and that can be told to hang: appends then wait, as
 * they do on a disk or network that stopped answering without failing.
 */
final class CountingStore extends ForwardingStore {
  private final LongAdder bytes = new LongAdder();
  private final LongAdder appends = new LongAdder();
  private volatile CountDownLatch gate = new CountDownLatch(0);

  CountingStore(ObjectStore store) {
    super(store);
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
  public Replacement replace(String object) throws IOException {
    pass();
    Replacement inner = store.replace(object);
    return new Replacement() {
      @Override
      public void write(ByteBuffer content) throws IOException {
        pass();
        bytes.add(content.remaining());
        inner.write(content);
      }

      @Override
      public void commit() throws IOException {
        inner.commit();
      }

      @Override
      public void close() throws IOException {
        inner.close();
      }
    };
  }
}
