package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.blob.ForwardingStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replacement;

/**
 * A store of a process that is killed at its n-th write: that write happens by half or not at all,
 * and nothing happens afterwards, not even tidying up.
 */
final class MortalStore extends ForwardingStore {
  private final Life life;

  /** The process, for all its stores. */
  static final class Life {
    private final AtomicInteger left;

    /**
     * @param writes how many writes it lives to see begin
     */
    Life(int writes) {
      left = new AtomicInteger(writes);
    }

    boolean over() {
      return left.get() <= 0;
    }

    void write() throws IOException {
      if (left.decrementAndGet() <= 0) {
        throw new IOException("killed");
      }
    }

    void need() throws IOException {
      if (over()) {
        throw new IOException("killed");
      }
    }
  }

  MortalStore(ObjectStore store, Life life) {
    super(store);
    this.life = life;
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    life.need();
    return super.range(object, offset, length);
  }

  @Override
  public long length(String object) throws IOException {
    life.need();
    return super.length(object);
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    life.write();
    super.put(object, content);
  }

  @Override
  public void delete(String object) throws IOException {
    life.write();
    super.delete(object);
  }

  @Override
  public Replacement replace(String object) throws IOException {
    life.write();
    Replacement real = store.replace(object);
    return new Replacement() {
      @Override
      public void write(ByteBuffer content) throws IOException {
        boolean dies = life.left.get() == 1;
        if (dies) {
          real.write(content.duplicate().limit(content.position() + content.remaining() / 2));
        }
        life.write();
        real.write(content);
      }

      @Override
      public void commit() throws IOException {
        life.write();
        real.commit();
        // Killed before anybody heard of it.
        life.write();
      }

      @Override
      public void close() throws IOException {
        if (!life.over()) {
          real.close();
        }
      }
    };
  }
}
