package net.postern.vault;

import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.keys.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads frames from stores alone: no thread, no database, nothing written. */
public final class StoreReader implements MessageReader {
  private static final Logger LOG = LoggerFactory.getLogger(StoreReader.class);

  private final Supplier<? extends List<? extends ObjectStore>> order;
  private final FrameCodec codec;

  /**
   * @param order asked at each read: the stores, best first
   */
  public StoreReader(Supplier<? extends List<? extends ObjectStore>> order, KeyRing keys) {
    this.order = order;
    this.codec = new FrameCodec(keys);
  }

  @Override
  public MessageFrame read(Place place) throws VaultUnavailableException {
    VaultUnavailableException failure =
        new VaultUnavailableException("no store has a readable copy of " + place);
    for (ObjectStore store : order.get()) {
      try {
        return codec.decode(
            store.range(Segment.object(place.segment()), place.offset(), place.length()));
      } catch (ErasedException e) {
        throw new MessageErasedException(e);
      } catch (IOException e) {
        LOG.warn("store {}: cannot read {}: {}", store.name(), place, e.toString());
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }
}
