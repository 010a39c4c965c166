package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import net.postern.blob.Appender;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replacement;

/** A store around another that does what the other does; faults are put into a part of it. */
class OtherStore implements ObjectStore {
  final ObjectStore store;

  OtherStore(ObjectStore store) {
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
  public long usableBytes() throws IOException {
    return store.usableBytes();
  }
}
