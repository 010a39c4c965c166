package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What every store does. A class for one names how to open an empty store, and again. */
public abstract class ObjectStoreContract {

  /** The store of this test: empty at first, the same one at each call. */
  protected abstract ObjectStore open() throws IOException;

  private static String fresh() {
    return "things/" + UUID.randomUUID();
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Map<String, Long> list(ObjectStore store, String kind) throws IOException {
    Map<String, Long> found = new HashMap<>();
    store.list(kind, each -> found.put(each.object(), each.length()));
    return found;
  }

  @Test
  void whatWasPutIsReadBackAlsoAfterReopening() throws IOException {
    String object = fresh();
    open().put(object, bytes("hello, store"));
    ObjectStore again = open();
    assertEquals(12, again.length(object));
    assertEquals("hello, store", text(again.range(object, 0, 12)));
    assertEquals("store", text(again.range(object, 7, 5)));
    assertEquals("", text(again.range(object, 12, 0)));
  }

  @Test
  void putReplacesAsAWhole() throws IOException {
    ObjectStore store = open();
    String object = fresh();
    store.put(object, bytes("a long first content"));
    store.put(object, bytes("short"));
    assertEquals(5, store.length(object));
    assertEquals("short", text(store.range(object, 0, 5)));
  }

  @Test
  void anEmptyObjectIsAnObject() throws IOException {
    ObjectStore store = open();
    String object = fresh();
    store.put(object, bytes(""));
    assertEquals(0, store.length(object));
    assertEquals(Map.of(object, 0L), list(store, "things"));
  }

  @Test
  void largeContentComesBackByteForByteFromHeapAndDirectMemory() throws IOException {
    ObjectStore store = open();
    byte[] content = new byte[(3 << 20) + 17];
    new Random(7).nextBytes(content);
    String heap = fresh();
    store.put(heap, ByteBuffer.wrap(content));
    assertArrayEquals(content, store.range(heap, 0, content.length));
    String direct = fresh();
    ByteBuffer outside = ByteBuffer.allocateDirect(content.length).put(content).flip();
    try (Appender appender = store.append(direct)) {
      appender.append(outside);
    }
    assertEquals(0, outside.remaining(), "all was taken");
    assertArrayEquals(content, store.range(direct, 0, content.length));
  }

  @Test
  void appendedBytesAreReadableAtOnceAndStay() throws IOException {
    ObjectStore store = open();
    String object = fresh();
    try (Appender appender = store.append(object)) {
      appender.append(bytes("one"));
      assertEquals("one", text(store.range(object, 0, 3)));
      appender.append(bytes("two"));
      appender.append(bytes("three"));
      appender.truncate(6);
      assertEquals(6, store.length(object));
      appender.append(bytes("!"));
    }
    assertEquals("onetwo!", text(open().range(object, 0, 7)));
  }

  @Test
  void appendReplacesNothing() throws IOException {
    ObjectStore store = open();
    String object = fresh();
    store.put(object, bytes("here first"));
    assertThrows(IOException.class, () -> store.append(object));
    assertEquals("here first", text(store.range(object, 0, 10)));
  }

  @Test
  void missingObjectsAndShortOnesAreToldApart() throws IOException {
    ObjectStore store = open();
    String object = fresh();
    assertThrows(NoSuchFileException.class, () -> store.length(object));
    assertThrows(NoSuchFileException.class, () -> store.range(object, 0, 1));
    store.put(object, bytes("four"));
    assertThrows(EOFException.class, () -> store.range(object, 0, 5));
    assertThrows(EOFException.class, () -> store.range(object, 9, 1));
  }

  @Test
  void listingShowsTheKindAndDeletionTakesOff() throws IOException {
    ObjectStore store = open();
    assertEquals(Map.of(), list(store, "things"));
    Map<String, Long> put = new HashMap<>();
    for (int i = 0; i < 20; i++) {
      String object = fresh();
      store.put(object, ByteBuffer.allocate(i));
      put.put(object, (long) i);
    }
    store.put("others/" + UUID.randomUUID(), bytes("x"));
    assertEquals(put, list(store, "things"));
    String gone = put.keySet().iterator().next();
    store.delete(gone);
    store.delete(gone);
    put.remove(gone);
    assertEquals(put, list(open(), "things"));
    assertThrows(NoSuchFileException.class, () -> store.length(gone));
  }

  @Test
  void listingByPrefixShowsTheSameAsAllListingsTogether() throws IOException {
    ObjectStore store = open();
    Map<String, Long> put = new HashMap<>();
    for (int i = 0; i < 64; i++) {
      String object = fresh();
      store.put(object, ByteBuffer.allocate(i));
      put.put(object, (long) i);
    }
    Map<String, Long> found = new HashMap<>();
    for (char first : "0123456789abcdef".toCharArray()) {
      store.list(
          "things",
          "" + first,
          each -> {
            assertEquals(first, each.object().charAt("things/".length()));
            found.put(each.object(), each.length());
          });
    }
    assertEquals(put, found);
    String one = put.keySet().iterator().next();
    Map<String, Long> exact = new HashMap<>();
    store.list(
        "things",
        one.substring("things/".length()),
        each -> exact.put(each.object(), each.length()));
    assertEquals(Map.of(one, put.get(one)), exact);
    store.list("things", "zz", each -> assertEquals("none", each.object()));
  }

  /** Piece by piece: nothing before commit, everything after, nothing left of one given up. */
  @Test
  void aReplacementIsThereAsAWholeOrNotAtAll() throws IOException {
    ObjectStore store = open();
    String object = fresh();
    try (Replacement first = store.replace(object)) {
      first.write(bytes("one, "));
      assertThrows(NoSuchFileException.class, () -> store.length(object));
      first.write(bytes("two"));
      first.commit();
    }
    assertEquals("one, two", text(store.range(object, 0, 8)));
    try (Replacement second = store.replace(object)) {
      second.write(bytes("given up"));
    }
    assertEquals("one, two", text(open().range(object, 0, 8)));
    try (Replacement third = store.replace(object)) {
      third.write(bytes("three"));
      third.commit();
    }
    assertEquals(5, open().length(object));
    assertEquals(Map.of(object, 5L), list(store, "things"));
    store.strays("things", stray -> assertEquals("none", stray.path()));
  }

  @Test
  void namesThatLeadElsewhereAreRefused() throws IOException {
    ObjectStore store = open();
    for (String name : new String[] {"things/../x", "../things/abc", "abc", "things/A B", ""}) {
      assertThrows(IllegalArgumentException.class, () -> store.put(name, bytes("x")), name);
      assertThrows(IllegalArgumentException.class, () -> store.length(name), name);
    }
  }

  @Test
  void saysHowMuchFits() throws IOException {
    assertTrue(open().usableBytes() > 0);
  }
}
