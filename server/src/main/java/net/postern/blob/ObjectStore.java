package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
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

  /**
   * Begins to write an object as a whole, piece by piece, for objects that are too large for
   * memory. Nothing changes before {@link Replacement#commit}.
   */
  default Replacement replace(String object) throws IOException {
    return new GatheredReplacement(this, object);
  }

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

  /**
   * Calls {@code each} with every object of a kind whose name, behind the slash, begins with {@code
   * prefix}, in no order. A place that can find these without looking at the others does so.
   */
  default void list(String kind, String prefix, Consumer<Listed> each) throws IOException {
    String beginning = kind + "/" + prefix;
    list(
        kind,
        listed -> {
          if (listed.object().startsWith(beginning)) {
            each.accept(listed);
          }
        });
  }

  /** Removes an object; nothing happens when there is none. */
  void delete(String object) throws IOException;

  /** Bytes that can still be written; {@link Long#MAX_VALUE} where the place does not say. */
  long usableBytes() throws IOException;

  /**
   * Calls {@code each} with everything that lies among the objects of a kind and is none:
   * unfinished writes, and what people or their tools left behind. A place where that cannot be has
   * none.
   */
  default void strays(String kind, Consumer<Stray> each) throws IOException {}

  /**
   * Takes a stray out of the way: removes an unfinished write, and makes anything else an object of
   * kind {@value #ASIDE}.
   */
  default void clear(Stray stray) throws IOException {}

  /** The kind of what was found and is not ours, or was replaced while it might still be of use. */
  String ASIDE = "aside";

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

  /**
   * Something that is no object.
   *
   * @param path how the place calls it
   * @param unfinished whether it is a write that was begun and not finished, or is still going on
   */
  record Stray(String path, long length, Instant modified, boolean unfinished) {}
}
