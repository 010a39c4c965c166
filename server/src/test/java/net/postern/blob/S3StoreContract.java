package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an S3 store does beyond every store's contract, on whichever server. */
abstract class S3StoreContract extends ObjectStoreContract {
  private final List<S3Store> opened = new ArrayList<>();

  /** Settings of this test's own store: the same at each call, empty at first. */
  protected abstract S3Settings settings();

  @Override
  protected S3Store open() {
    S3Store store = new S3Store(settings());
    opened.add(store);
    return store;
  }

  @AfterEach
  void close() {
    opened.forEach(S3Store::close);
  }

  private static String fresh() {
    return "segments/" + UUID.randomUUID();
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static List<String> keys(S3Store store, String prefix) throws IOException {
    List<String> keys = new ArrayList<>();
    try (S3Calls calls = new S3Calls(store.settings())) {
      calls.list(store.settings().prefix() + prefix, entry -> keys.add(entry.key()));
    }
    return keys;
  }

  private static void awaitWhole(S3Store store) {
    Await.until(() -> store.inPieces() == 0);
  }

  @Test
  void checkSaysNothingWhenAllIsWell() throws IOException {
    open().check();
  }

  @Test
  void anObjectThatGrowsIsInPiecesAndThenWhole() throws IOException {
    S3Store store = open();
    String object = fresh();
    byte[] content = random(70_000, 1);
    S3Requests before;
    try (Appender appender = store.append(object)) {
      before = store.requests();
      for (int at = 0; at < content.length; at += 7_000) {
        appender.append(ByteBuffer.wrap(content, at, 7_000));
      }
      assertEquals(10, store.requests().since(before).total(), "one request an append");
      List<String> keys = keys(store, object);
      assertEquals(10, keys.size());
      assertTrue(keys.getFirst().endsWith(object + ".0000000000000000"), keys::toString);
      assertTrue(keys.get(1).endsWith(object + ".0000000000001b58"), keys::toString);
      // Another process reads what this one writes.
      S3Store other = open();
      assertEquals(70_000, other.length(object));
      assertArrayEquals(content, other.range(object, 0, content.length));
      assertArrayEquals(
          Arrays.copyOfRange(content, 6_999, 14_001), other.range(object, 6_999, 7_002));
      assertThrows(EOFException.class, () -> other.range(object, 69_999, 2));
      Map<String, Long> listed = new HashMap<>();
      other.list("segments", each -> listed.put(each.object(), each.length()));
      assertEquals(Map.of(object, 70_000L), listed);
      assertThrows(IOException.class, () -> other.append(object), "it exists");
    }
    awaitWhole(store);
    assertEquals(List.of(store.settings().prefix() + object), keys(store, object));
    before = store.requests();
    assertArrayEquals(content, store.range(object, 0, content.length));
    assertEquals(1, store.requests().since(before).total(), "one request a read");
    assertArrayEquals(content, open().range(object, 0, content.length));
  }

  @Test
  void aLargeObjectIsUploadedInPartsWhileItGrows() throws IOException {
    // A part that takes long would have it made of its pieces.
    S3Store store = new S3Store(settings(), Clock.systemUTC(), Duration.ofHours(1));
    opened.add(store);
    String object = fresh();
    byte[] content = random((19 << 20) + 5, 2);
    S3Requests before = store.requests();
    int step = 3 << 20;
    try (Appender appender = store.append(object)) {
      for (int at = 0; at < content.length; at += step) {
        appender.append(ByteBuffer.wrap(content, at, Math.min(step, content.length - at)));
      }
    }
    awaitWhole(store);
    S3Requests cost = store.requests().since(before);
    assertEquals(7, cost.put(), cost::toString);
    assertEquals(5, cost.multipart(), () -> "begin, three parts, complete: " + cost);
    assertTrue(cost.get() == 0, () -> "nothing is read back: " + cost);
    assertEquals(1, keys(store, object).size());
    assertEquals(content.length, store.length(object));
    assertArrayEquals(content, store.range(object, 0, content.length));
  }

  @Test
  void takingBackCutsPiecesAndWhatIsUploaded() throws IOException {
    for (int to : new int[] {0, 1, 999, 1_000, 1_001, 9 << 20, (9 << 20) + 1}) {
      S3Store store = open();
      String object = fresh();
      byte[] content = random((9 << 20) + 2_000, to);
      try (Appender appender = store.append(object)) {
        appender.append(ByteBuffer.wrap(content, 0, 1_000));
        appender.append(ByteBuffer.wrap(content, 1_000, (9 << 20) - 1_000));
        appender.append(ByteBuffer.wrap(content, 9 << 20, 2_000));
        appender.truncate(to);
        if (to > 0) {
          assertEquals(to, open().length(object));
        }
        appender.append(ByteBuffer.wrap(content, to, 500));
      }
      awaitWhole(store);
      assertEquals(List.of(store.settings().prefix() + object), keys(store, object), "to " + to);
      assertEquals(to + 500, store.length(object));
      byte[] expected = Arrays.copyOf(content, to + 500);
      assertArrayEquals(expected, store.range(object, 0, to + 500));
    }
  }

  @Test
  void largeContentIsPutInParts() throws IOException {
    S3Store store = open();
    String object = fresh();
    byte[] content = random((17 << 20) + 3, 3);
    store.put(object, ByteBuffer.wrap(content));
    assertEquals(5, store.requests().multipart());
    assertArrayEquals(content, store.range(object, 0, content.length));
    store.put(object, ByteBuffer.wrap(content, 0, 10));
    assertEquals(10, store.length(object), "the control: a small one replaces it");
  }

  @Test
  void aWholeObjectWinsOverPiecesAndPutsThemAway() throws IOException {
    S3Store store = open();
    String object = fresh();
    try (S3Calls calls = new S3Calls(settings())) {
      String key = settings().prefix() + object;
      byte[] old = "old, whole".getBytes(StandardCharsets.US_ASCII);
      calls.put(S3Pieces.key(key, 0), new S3Calls.Body(old, 0, 3), Optional.empty());
      calls.put(S3Pieces.key(key, 3), new S3Calls.Body(old, 3, 7), Optional.empty());
      assertEquals(10, store.length(object));
      assertArrayEquals(old, store.range(object, 0, 10));
      // As after a crash between the whole and the deletion of the pieces.
      byte[] whole = "whole, old".getBytes(StandardCharsets.US_ASCII);
      calls.put(key, new S3Calls.Body(whole, 0, 10), Optional.empty());
      assertEquals(10, open().length(object));
      assertArrayEquals(whole, open().range(object, 0, 10));
      assertThrows(EOFException.class, () -> open().range(object, 0, 11));
      assertEquals(Map.of(object, 10L), listed(store));
      store.put(object, ByteBuffer.wrap(old));
      assertEquals(List.of(key), keys(store, object));
      assertArrayEquals(old, store.range(object, 0, 10));
      calls.put(S3Pieces.key(key, 0), new S3Calls.Body(old, 0, 3), Optional.empty());
      store.delete(object);
      assertEquals(List.of(), keys(store, object));
      assertThrows(NoSuchFileException.class, () -> store.length(object));
    }
  }

  /** As when an object goes on growing that somebody else took for left over. */
  @Test
  void piecesThatReachBeyondAWholeObjectGoOnWhereItEnds() throws IOException {
    String object = fresh();
    byte[] content = random(300, 7);
    try (S3Calls calls = new S3Calls(settings())) {
      String key = settings().prefix() + object;
      // One inside, one across the end, one behind it; the last two are not in the whole one.
      calls.put(key, new S3Calls.Body(content, 0, 100), Optional.empty());
      calls.put(S3Pieces.key(key, 50), new S3Calls.Body(new byte[10], 0, 10), Optional.empty());
      calls.put(S3Pieces.key(key, 80), new S3Calls.Body(content, 80, 120), Optional.empty());
      calls.put(S3Pieces.key(key, 200), new S3Calls.Body(content, 200, 100), Optional.empty());
      S3Store store = open();
      for (int pass = 0; pass < 2; pass++) {
        assertEquals(300, store.length(object));
        assertEquals(Map.of(object, 300L), listed(store));
        for (int[] range : new int[][] {{0, 300}, {90, 20}, {100, 200}, {0, 100}, {299, 1}}) {
          assertArrayEquals(
              Arrays.copyOfRange(content, range[0], range[0] + range[1]),
              store.range(object, range[0], range[1]),
              () -> "from " + range[0]);
        }
        assertThrows(EOFException.class, () -> store.range(object, 299, 2));
        assertThrows(IOException.class, () -> store.append(object), "it exists");
        // The control: then from the whole object alone.
        try (S3Store later =
            new S3Store(settings(), Clock.offset(Clock.systemUTC(), Duration.ofDays(5)))) {
          later.tidy();
        }
        assertEquals(List.of(key), keys(store, object), "put together, and all pieces gone");
      }
    }
  }

  private static Map<String, Long> listed(S3Store store) throws IOException {
    Map<String, Long> listed = new HashMap<>();
    store.list(
        "segments", each -> assertNull(listed.put(each.object(), each.length()), "listed twice"));
    return listed;
  }

  @Test
  void aPieceThatIsMissingIsDamageAndNoEnd() throws IOException {
    S3Store store = open();
    String object = fresh();
    try (S3Calls calls = new S3Calls(settings())) {
      String key = settings().prefix() + object;
      calls.put(S3Pieces.key(key, 0), new S3Calls.Body(new byte[3], 0, 3), Optional.empty());
      calls.put(S3Pieces.key(key, 6), new S3Calls.Body(new byte[3], 0, 3), Optional.empty());
    }
    assertEquals(9, store.length(object));
    IOException failure = assertThrows(IOException.class, () -> store.range(object, 2, 5));
    assertTrue(failure.toString().contains("the piece with byte 3 is missing"), failure::toString);
    assertTrue(!(failure instanceof EOFException));
    assertEquals(3, store.range(object, 6, 3).length, "the control: the rest can be read");
  }

  @Test
  void moreThanAThousandObjectsAndPiecesAreListedAndDeleted() throws Exception {
    S3Store store = open();
    String grown = fresh();
    try (S3Calls calls = new S3Calls(settings());
        var threads = Executors.newFixedThreadPool(8)) {
      List<Future<?>> puts = new ArrayList<>();
      for (int i = 0; i < 1_010; i++) {
        int n = i;
        puts.add(
            threads.submit(
                () ->
                    calls.put(
                        S3Pieces.key(settings().prefix() + grown, n),
                        new S3Calls.Body(new byte[] {(byte) n}, 0, 1),
                        Optional.empty())));
        puts.add(
            threads.submit(
                () ->
                    calls.put(
                        settings().prefix() + fresh(),
                        new S3Calls.Body(new byte[1], 0, 1),
                        Optional.empty())));
      }
      for (var put : puts) {
        put.get();
      }
    }
    Map<String, Long> listed = new HashMap<>();
    store.list("segments", each -> listed.put(each.object(), each.length()));
    assertEquals(1_011, listed.size());
    assertEquals(1_010L, listed.get(grown));
    byte[] bytes = store.range(grown, 0, 1_010);
    assertEquals((byte) 1_009, bytes[1_009]);
    store.delete(grown);
    assertEquals(List.of(), keys(store, grown));
    listed.clear();
    store.list("segments", each -> listed.put(each.object(), each.length()));
    assertEquals(1_010, listed.size());
  }
}
