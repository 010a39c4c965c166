package net.postern.blob;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/** For a place that takes an object only in one piece: gathers it in memory. */
final class GatheredReplacement implements Replacement {
  private final ObjectStore store;
  private final String object;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  GatheredReplacement(ObjectStore store, String object) {
    this.store = store;
    this.object = object;
  }

  @Override
  public void write(ByteBuffer content) {
    byte[] piece = new byte[content.remaining()];
    content.get(piece);
    bytes.writeBytes(piece);
  }

  @Override
  public void commit() throws IOException {
    store.put(object, ByteBuffer.wrap(bytes.toByteArray()));
  }

  @Override
  public void close() {}
}
