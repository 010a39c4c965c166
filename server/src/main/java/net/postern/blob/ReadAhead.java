package net.postern.blob;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Reads a store from front to back with few large reads: a range brings those behind it along. What
 * it holds is up to {@link #WINDOW} bytes, or one larger range. For one thread, for objects that do
 * not change meanwhile.
 */
public final class ReadAhead implements ObjectStore {
  /** Bytes that are read at once. */
  public static final int WINDOW = 4 << 20;

  private final ObjectStore store;
  private String object = "";
  private long length;
  private long start;
  private byte[] window = {};
  private Optional<IOException> failure = Optional.empty();

  public ReadAhead(ObjectStore store) {
    this.store = store;
  }

  /** The last time that the store failed, other than to say that there is nothing. */
  public Optional<IOException> failure() {
    return failure;
  }

  /** Looks for failures from here on. */
  public void forgetFailure() {
    failure = Optional.empty();
  }

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public byte[] range(String wanted, long offset, int count) throws IOException {
    if (!wanted.equals(object)) {
      length = store.length(wanted);
      object = wanted;
      window = new byte[0];
    }
    if (offset < start || offset + count > start + window.length) {
      int read = (int) Math.min(Math.max(count, WINDOW), Math.max(count, length - offset));
      window = new byte[0];
      try {
        window = store.range(wanted, offset, read);
      } catch (EOFException | NoSuchFileException e) {
        throw e;
      } catch (IOException e) {
        failure = Optional.of(e);
        throw e;
      }
      start = offset;
    }
    int from = (int) (offset - start);
    return Arrays.copyOfRange(window, from, from + count);
  }

  @Override
  public long length(String wanted) throws IOException {
    return wanted.equals(object) ? length : store.length(wanted);
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    store.list(kind, each);
  }

  @Override
  public long usableBytes() throws IOException {
    return store.usableBytes();
  }

  @Override
  public void put(String wanted, ByteBuffer content) {
    throw new UnsupportedOperationException("only read");
  }

  @Override
  public Appender append(String wanted) {
    throw new UnsupportedOperationException("only read");
  }

  @Override
  public void delete(String wanted) {
    throw new UnsupportedOperationException("only read");
  }
}
