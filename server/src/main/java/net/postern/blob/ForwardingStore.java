package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A store around another that does in everything what the other does, for those that change a part
 * of it.
 */
public abstract class ForwardingStore implements ObjectStore {
  protected final ObjectStore store;

  protected ForwardingStore(ObjectStore store) {
    this.store = store;
  }

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    store.put(object, content);
  }

  @Override
  public Replacement replace(String object) throws IOException {
    return store.replace(object);
  }

  @Override
  public Appender append(String object) throws IOException {
    return store.append(object);
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    return store.range(object, offset, length);
  }

  @Override
  public long length(String object) throws IOException {
    return store.length(object);
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    store.list(kind, each);
  }

  @Override
  public void list(String kind, String prefix, Consumer<Listed> each) throws IOException {
    store.list(kind, prefix, each);
  }

  @Override
  public void strays(String kind, Consumer<Stray> each) throws IOException {
    store.strays(kind, each);
  }

  @Override
  public void clear(Stray stray) throws IOException {
    store.clear(stray);
  }

  @Override
  public void delete(String object) throws IOException {
    store.delete(object);
  }

  @Override
  public Duration pace() {
    return store.pace();
  }

  @Override
  public String toString() {
    return store.toString();
  }

  @Override
  public long usableBytes() throws IOException {
    return store.usableBytes();
  }
}
