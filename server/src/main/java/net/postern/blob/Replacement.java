package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes an object as a whole, piece by piece. For one thread at a time. */
public interface Replacement extends AutoCloseable {

  /** Adds all remaining bytes of the buffer. They are nobody's before {@link #commit}. */
  void write(ByteBuffer content) throws IOException;

  /** Puts what was written in the place of the object, durably, at once or not at all. */
  void commit() throws IOException;

  /** Gives up what was not committed. */
  @Override
  void close() throws IOException;
}
