package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Small objects that every store is to hold, such as wrapped keys. Safe for many threads. */
public final class Replicas {
  private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

  private final List<ObjectStore> stores;
  private final int minimum;

  /**
   * @param stores in the order in which they are read
   * @param minimum fewest copies for a write to count
   */
  public Replicas(List<? extends ObjectStore> stores, int minimum) {
    this.stores = List.copyOf(stores);
    this.minimum = minimum;
  }

  /** The stores, in the order in which they are read. */
  public List<ObjectStore> stores() {
    return stores;
  }

  /** Fewest copies for a write to count. */
  public int minimum() {
    return minimum;
  }

  /**
   * Writes a parcel to every store.
   *
   * @return how many took it; a store that did not is brought up to date by the vault's upkeep
   * @throws IOException when fewer than the minimum took it
   */
  public int put(String object, Parcel parcel) throws IOException {
    byte[] content = parcel.encode(object);
    int copies = 0;
    List<IOException> failures = new ArrayList<>();
    for (ObjectStore store : stores) {
      try {
        store.put(object, ByteBuffer.wrap(content));
        copies++;
      } catch (IOException e) {
        failures.add(e);
      }
    }
    if (copies < minimum) {
      IOException tooFew =
          new IOException(
              "only %d of %d stores took the object, %d are needed"
                  .formatted(copies, stores.size(), minimum));
      failures.forEach(tooFew::addSuppressed);
      throw tooFew;
    }
    return copies;
  }

  /**
   * Makes something of a parcel.
   *
   * @param <T> what
   */
  @FunctionalInterface
  public interface Decoder<T> {

    /**
     * @throws IOException when the content is not what it should be: the next store is asked
     */
    T decode(Parcel parcel) throws IOException;
  }

  /**
   * Reads a parcel from the first store whose copy can be decoded. A store that was away until a
   * moment ago may give one of an earlier generation.
   *
   * @throws NoSuchFileException when no store has it, and all could say so
   * @throws IOException when no store gave a good copy
   */
  public <T> T get(String object, Decoder<T> decoder) throws IOException {
    IOException failure = new IOException("no store could give " + object);
    boolean allSaidNo = true;
    for (ObjectStore store : stores) {
      try {
        return decoder.decode(read(store, object));
      } catch (NoSuchFileException e) {
        failure.addSuppressed(e);
      } catch (IOException e) {
        allSaidNo = false;
        LOG.warn("store {}: no good copy of {}: {}", store.name(), object, e.toString());
        failure.addSuppressed(e);
      }
    }
    if (allSaidNo) {
      throw new NoSuchFileException(object, null, "no store has it");
    }
    throw failure;
  }

  /**
   * Reads one store's copy of a parcel.
   *
   * @throws NoSuchFileException when it has none
   * @throws IOException when the store fails or its copy is damaged
   */
  public static Parcel read(ObjectStore store, String object) throws IOException {
    long length = store.length(object);
    if (length > Parcel.MAX_BYTES) {
      throw new IOException(
          "store %s: %s has %d bytes, more than any parcel"
              .formatted(store.name(), object, length));
    }
    return Parcel.decode(object, store.range(object, 0, (int) length));
  }
}
