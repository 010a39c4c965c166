package net.postern.ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import net.postern.blob.Appender;
import net.postern.blob.ObjectStore;
import net.postern.vault.SegmentBook;

/**
 * A process that dies at its n-th change of a store or of the database: in the middle of it, which
 * for a change that is done as a whole or not at all is before it, or after it. Nothing works
 * afterwards. The stores and the database below are real, so that what was done is done.
 */
final class Mortal {

  /** When it dies. */
  enum Moment {
    HALF,
    AFTER
  }

  /** It is dead. Not an exception: nobody may catch it and go on. */
  static final class Died extends Error {
    private static final long serialVersionUID = 1L;

    Died() {
      super("killed, as ordered");
    }
  }

  private final Moment moment;
  private int left;
  private boolean dead;

  /**
   * @param steps how many changes succeed; the next one kills
   */
  Mortal(int steps, Moment moment) {
    this.left = steps;
    this.moment = moment;
  }

  synchronized boolean isDead() {
    return dead;
  }

  private synchronized void live() {
    if (dead) {
      throw new Died();
    }
  }

  /** A change. */
  @FunctionalInterface
  private interface Change<T> {
    T run() throws IOException;
  }

  // One at a time, so that the order of steps is the same in each run but for that of the stores.
  private synchronized <T> T change(Change<T> whole, Step half) throws IOException {
    live();
    if (left-- > 0) {
      return whole.run();
    }
    dead = true;
    switch (moment) {
      case HALF -> half.run();
      case AFTER -> whole.run();
    }
    throw new Died();
  }

  /** A store, as the mortal process sees it. */
  ObjectStore store(ObjectStore real) {
    return new ObjectStore() {
      @Override
      public String name() {
        return real.name();
      }

      @Override
      public void put(String object, ByteBuffer content) throws IOException {
        ByteBuffer part = content.duplicate();
        part.limit(part.position() + part.remaining() / 2);
        step(() -> real.put(object, content), () -> real.put(object, part));
      }

      @Override
      public Appender append(String object) throws IOException {
        throw new IOException("compaction writes whole objects");
      }

      @Override
      public byte[] range(String object, long offset, int length) throws IOException {
        live();
        return real.range(object, offset, length);
      }

      @Override
      public long length(String object) throws IOException {
        live();
        return real.length(object);
      }

      @Override
      public void list(String kind, Consumer<Listed> each) throws IOException {
        live();
        real.list(kind, each);
      }

      @Override
      public void delete(String object) throws IOException {
        step(() -> real.delete(object), () -> {});
      }

      @Override
      public long usableBytes() throws IOException {
        return real.usableBytes();
      }
    };
  }

  /** The book, as the mortal process sees it. */
  SegmentBook book(SegmentBook real) {
    return new SegmentBook() {
      @Override
      public Optional<Turn> turn() throws IOException {
        return real.turn();
      }

      @Override
      public List<Entry> due(Instant now, int max) throws IOException {
        live();
        return real.due(now, max);
      }

      @Override
      public List<Entry> small(long below, int max) throws IOException {
        live();
        return real.small(below, max);
      }

      @Override
      public Totals totals() throws IOException {
        live();
        return real.totals();
      }

      @Override
      public List<KeptFrame> kept(UUID segment, Instant now) throws IOException {
        live();
        return real.kept(segment, now);
      }

      @Override
      public void looked(Look look) throws IOException {
        step(() -> real.looked(look), () -> {});
      }

      @Override
      public void lookLater(UUID segment, Instant nextLook) throws IOException {
        step(() -> real.lookLater(segment, nextLook), () -> {});
      }

      @Override
      public void begin(UUID fresh, long bytes, Instant now) throws IOException {
        step(() -> real.begin(fresh, bytes, now), () -> {});
      }

      @Override
      public boolean replace(Replacement replacement, Instant now) throws IOException {
        return change(() -> real.replace(replacement, now), () -> {});
      }

      @Override
      public Fate fate(UUID segment) throws IOException {
        live();
        return real.fate(segment);
      }

      @Override
      public boolean isRipe(Instant droppedBefore) throws IOException {
        live();
        return real.isRipe(droppedBefore);
      }

      @Override
      public Set<UUID> inUse() throws IOException {
        live();
        return real.inUse();
      }

      @Override
      public List<Doomed> doom(Instant droppedBefore, Instant now, int max) throws IOException {
        return change(() -> real.doom(droppedBefore, now, max), () -> {});
      }

      @Override
      public void deleted(Collection<UUID> segments, Instant now) throws IOException {
        step(() -> real.deleted(segments, now), () -> {});
      }

      @Override
      public Set<UUID> strays(Collection<UUID> candidates) throws IOException {
        live();
        return real.strays(candidates);
      }
    };
  }

  /** A change without an answer. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private void step(Step whole, Step half) throws IOException {
    boolean done =
        change(
            () -> {
              whole.run();
              return true;
            },
            half);
    if (!done) {
      throw new IllegalStateException();
    }
  }
}
