package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A place that keeps immutable objects. Safe for many threads. Every method may block on I/O and
 * throws {@link IOException} when the place is away, full or damaged.
 *
 * <p>Names are {@code kind/name}: both of {@code [a-z0-9-]}, chosen by the caller so that they tell
 * nothing.
 */
public interface ObjectStore {

  /** What people call this store in configuration, logs and metrics. */
  String name();

  /**
   * Writes an object as a whole, durably: it is there completely or not at all. Replaces an object
   * of that name.
   */
  void put(String object, ByteBuffer content) throws IOException;

  /** Begins an object that grows; it replaces nothing. */
  Appender append(String object) throws IOException;

  /**
   * Reads a part.
   *
   * @return exactly {@code length} bytes
   * @throws java.nio.file.NoSuchFileException when there is no such object
   * @throws java.io.EOFException when the object ends before {@code offset + length}
   */
  byte[] range(String object, long offset, int length) throws IOException;

  /**
   * The length of an object in bytes.
   *
   * @throws java.nio.file.NoSuchFileException when there is no such object
   */
  long length(String object) throws IOException;

  /** Calls {@code each} with every object of a kind, in no order. */
  void list(String kind, Consumer<Listed> each) throws IOException;

  /** Removes an object; nothing happens when there is none. */
  void delete(String object) throws IOException;

  /** Bytes that can still be written; {@link Long#MAX_VALUE} where the place does not say. */
  long usableBytes() throws IOException;

  /**
   * The shortest time between two appends that makes sense: zero where each append costs the same,
   * more where each is a request that is paid for. Whoever appends gathers what comes in between;
   * the first append after a pause need not wait.
   */
  default Duration pace() {
    return Duration.ZERO;
  }

  /** An object as a listing shows it. */
  record Listed(String object, long length) {}
}
