package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;

/**
 * A store that can be closed for good: what is under way is finished, and from then on every
 * operation fails. Without it a thread that hung for long writes into a directory that its test has
 * deleted, or is just deleting.
 */
final class GatedStore extends ForwardingStore implements AutoCloseable {
  private final ReadWriteLock gate = new ReentrantReadWriteLock();
  private boolean closed;

  GatedStore(ObjectStore store) {
    super(store);
  }

  @FunctionalInterface
  private interface Operation<T> {
    T run() throws IOException;
  }

  @FunctionalInterface
  private interface Action {
    void run() throws IOException;
  }

  private <T> T pass(Operation<T> operation) throws IOException {
    gate.readLock().lock();
    try {
      if (closed) {
        throw new IOException("store " + name() + " is closed");
      }
      return operation.run();
    } finally {
      gate.readLock().unlock();
    }
  }

  private void act(Action action) throws IOException {
    pass(
        () -> {
          action.run();
          return true;
        });
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    act(() -> super.put(object, content));
  }

  @Override
  public Replacement replace(String object) throws IOException {
    Replacement real = pass(() -> super.replace(object));
    return new Replacement() {
      @Override
      public void write(ByteBuffer content) throws IOException {
        act(() -> real.write(content));
      }

      @Override
      public void commit() throws IOException {
        act(real::commit);
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }

  @Override
  public Appender append(String object) throws IOException {
    Appender real = pass(() -> super.append(object));
    return new Appender() {
      @Override
      public void append(ByteBuffer content) throws IOException {
        act(() -> real.append(content));
      }

      @Override
      public void truncate(long length) throws IOException {
        act(() -> real.truncate(length));
      }

      @Override
      public void close() throws IOException {
        real.close();
      }
    };
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    return pass(() -> super.range(object, offset, length));
  }

  @Override
  public long length(String object) throws IOException {
    return pass(() -> super.length(object));
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    act(() -> super.list(kind, each));
  }

  @Override
  public void list(String kind, String prefix, Consumer<Listed> each) throws IOException {
    act(() -> super.list(kind, prefix, each));
  }

  @Override
  public void strays(String kind, Consumer<Stray> each) throws IOException {
    act(() -> super.strays(kind, each));
  }

  @Override
  public void clear(Stray stray) throws IOException {
    act(() -> super.clear(stray));
  }

  @Override
  public void delete(String object) throws IOException {
    act(() -> super.delete(object));
  }

  @Override
  public long usableBytes() throws IOException {
    return pass(super::usableBytes);
  }

  /** Waits for what is under way. */
  @Override
  public void close() {
    gate.writeLock().lock();
    try {
      closed = true;
    } finally {
      gate.writeLock().unlock();
    }
  }
}
