package net.postern.vault;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.blob.TimedStore;
import net.postern.keys.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads frames from stores alone: no database, nothing written.
 *
 * <p>The best store is asked first. When it has not answered in the time in which it usually does,
 * the next is asked as well, and the first good answer counts: hedged requests (Dean and Barroso,
 * The Tail at Scale, CACM 56(2), 2013). So a store that begins to hang costs a reader a fraction of
 * a second, once.
 */
public final class StoreReader implements MessageReader {
  private static final Logger LOG = LoggerFactory.getLogger(StoreReader.class);

  /** A store gets so many times what 19 of 20 of its latest reads took, within these bounds. */
  private static final int USUAL = 2;

  private static final long SHORTEST_NANOS = Duration.ofMillis(10).toNanos();
  private static final long LONGEST_NANOS = Duration.ofMillis(500).toNanos();

  private final Supplier<? extends List<? extends ObjectStore>> order;
  private final FrameCodec codec;
  private final Consumer<UUID> suspect;

  /**
   * @param order asked at each read: the stores, best first
   */
  public StoreReader(Supplier<? extends List<? extends ObjectStore>> order, KeyRing keys) {
    this(order, keys, segment -> {});
  }

  /**
   * @param order asked at each read: the stores, best first; those that are bounded are hedged
   * @param suspect told the segment when a copy was met that is not as it should be; must not block
   */
  StoreReader(
      Supplier<? extends List<? extends ObjectStore>> order, KeyRing keys, Consumer<UUID> suspect) {
    this.order = order;
    this.codec = new FrameCodec(keys);
    this.suspect = suspect;
  }

  /** What a store gave, or why it did not. */
  private record Answer(ObjectStore store, byte[] bytes, Throwable failure) {}

  @Override
  public MessageFrame read(Place place) throws VaultUnavailableException {
    List<? extends ObjectStore> stores = order.get();
    BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
    VaultUnavailableException failure =
        new VaultUnavailableException("no store has a readable copy of " + place);
    boolean bad = false;
    int asked = 0;
    int open = 0;
    while (open > 0 || asked < stores.size()) {
      if (open == 0) {
        ask(stores.get(asked++), place, answers);
        open++;
      }
      Answer answer;
      try {
        answer =
            asked < stores.size()
                ? answers.poll(patience(stores.get(asked - 1)), TimeUnit.NANOSECONDS)
                : answers.take();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new VaultUnavailableException("interrupted while reading " + place, e);
      }
      if (answer == null) {
        ask(stores.get(asked++), place, answers);
        open++;
        continue;
      }
      open--;
      try {
        MessageFrame frame = decode(answer);
        if (bad) {
          suspect.accept(place.segment());
        }
        return frame;
      } catch (ErasedException e) {
        throw new MessageErasedException(e);
      } catch (IOException e) {
        bad = true;
        LOG.warn("store {}: cannot read {}: {}", answer.store().name(), place, e.toString());
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }

  private MessageFrame decode(Answer answer) throws IOException {
    return switch (answer.failure()) {
      case null -> codec.decode(answer.bytes());
      case IOException e -> throw e;
      case Throwable e -> throw new IOException(e.toString(), e);
    };
  }

  private static void ask(ObjectStore store, Place place, BlockingQueue<Answer> answers) {
    String object = Segment.object(place.segment());
    CompletableFuture<byte[]> answer;
    if (store instanceof TimedStore timed) {
      answer = timed.ask(object, place.offset(), place.length());
    } else {
      try {
        answer =
            CompletableFuture.completedFuture(store.range(object, place.offset(), place.length()));
      } catch (IOException | RuntimeException e) {
        answer = CompletableFuture.failedFuture(e);
      }
    }
    var _ = answer.whenComplete((bytes, failed) -> answers.add(new Answer(store, bytes, failed)));
  }

  private static long patience(ObjectStore store) {
    return store instanceof TimedStore timed
        ? Math.clamp(USUAL * timed.meter().slowReadNanos(), SHORTEST_NANOS, LONGEST_NANOS)
        : LONGEST_NANOS;
  }
}
