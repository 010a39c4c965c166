package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes a growing object. For one thread at a time. */
public interface Appender extends AutoCloseable {

  /** Writes all remaining bytes of the buffer at the end, and waits until they are durable. */
  void append(ByteBuffer content) throws IOException;

  /**
   * Cuts off what lies beyond {@code length}, durably: takes back an append that was not wanted.
   */
  void truncate(long length) throws IOException;

  /** Ends writing. What was appended stays. */
  @Override
  void close() throws IOException;
}
