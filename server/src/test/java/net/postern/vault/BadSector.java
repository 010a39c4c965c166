package net.postern.vault;

import java.io.IOException;
import net.postern.blob.ForwardingStore;
import net.postern.blob.ObjectStore;

/** A disk with a place that cannot be read. */
final class BadSector extends ForwardingStore {
  private final String object;
  private final long from;
  private final long to;

  BadSector(ObjectStore store, String object, long from, long to) {
    super(store);
    this.object = object;
    this.from = from;
    this.to = to;
  }

  @Override
  public byte[] range(String read, long offset, int length) throws IOException {
    if (read.equals(object) && offset < to && offset + length > from) {
      throw new IOException("Input/output error");
    }
    return store.range(read, offset, length);
  }
}
