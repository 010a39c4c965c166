package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import net.postern.blob.FaultyStore.Mood;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A bounded store is a store like any other, and none of its calls waits for ever. */
class TimedStoreTest extends ObjectStoreContract {
  private static final Duration WAIT = Duration.ofMillis(200);

  /** What a call that is given up may take on a loaded machine. */
  private static final Duration BOUND = Duration.ofSeconds(10);

  @TempDir Path temp;
  private FaultyStore faulty;
  private TimedStore store;

  @BeforeEach
  void make() throws IOException {
    faulty = new FaultyStore(new DirectoryStore("one", temp.resolve("one")));
    store = TimedStore.around(faulty, WAIT);
  }

  @AfterEach
  void heal() {
    faulty.mood(Mood.GOOD);
  }

  @Override
  protected ObjectStore open() throws IOException {
    return TimedStore.around(
        new DirectoryStore("contract", temp.resolve("contract")), Duration.ofSeconds(20));
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void everyCallToAStoreThatHangsEnds() throws Exception {
    store.put("things/abc", bytes("here"));
    Replacement begun = store.replace("things/abd");
    faulty.mood(Mood.DEAF);
    List<Executable> calls =
        List.of(
            () -> store.range("things/abc", 0, 4),
            () -> store.length("things/abc"),
            () -> store.list("things", each -> {}),
            () -> store.list("things", "a", each -> {}),
            store::usableBytes,
            () -> store.put("things/def", bytes("x")),
            () -> store.delete("things/ghi"));
    for (Executable call : calls) {
      long start = System.nanoTime();
      IOException failure = assertThrows(IOException.class, call);
      assertTrue(failure.toString().contains("store one"), failure::toString);
      assertTrue(System.nanoTime() - start < BOUND.toNanos());
    }
    ExecutionException late =
        assertThrows(ExecutionException.class, () -> store.ask("things/abc", 0, 4).get());
    assertTrue(late.getCause() instanceof TimeoutException, late::toString);
    assertEquals(TimedStore.MAX_HANGING, store.meter().hanging());
    long start = System.nanoTime();
    IOException refused = assertThrows(IOException.class, () -> store.range("things/abc", 0, 4));
    assertEquals("store one does not answer: 8 calls hang", refused.getMessage());
    assertTrue(System.nanoTime() - start < WAIT.toNanos(), "at once");

    faulty.mood(Mood.GOOD);
    Await.until(() -> store.meter().hanging() == 0);
    assertEquals("here", new String(store.range("things/abc", 0, 4), StandardCharsets.UTF_8));
    begun.close();
  }

  /** A write that was given up happens in the end; it must not undo one that came after it. */
  @Test
  void aLateWriteCannotUndoALaterOne() throws Exception {
    faulty.mood(Mood.HANGING);
    assertThrows(IOException.class, () -> store.put("things/abc", bytes("early")));
    IOException refused =
        assertThrows(IOException.class, () -> store.put("things/abc", bytes("later")));
    assertTrue(refused.toString().contains("an earlier write of things/abc still hangs"));
    assertThrows(IOException.class, () -> store.delete("things/abc"));
    faulty.mood(Mood.GOOD);
    Await.until(() -> store.meter().hanging() == 0);
    assertEquals("early", new String(store.range("things/abc", 0, 5), StandardCharsets.UTF_8));
    store.put("things/abc", bytes("later"));
    assertEquals("later", new String(store.range("things/abc", 0, 5), StandardCharsets.UTF_8));
  }

  /** A place that gathers what it is given does all its work in the commit. */
  @Test
  void aLargeReplacementGetsTimeForAllItsBytes() throws Exception {
    try (Replacement large = store.replace("things/large")) {
      for (int i = 0; i < 20; i++) {
        large.write(ByteBuffer.allocate(1 << 20));
      }
      faulty.mood(Mood.HANGING);
      Thread later =
          Thread.ofVirtual()
              .start(
                  () -> {
                    long start = System.nanoTime();
                    Await.until(
                        () ->
                            faulty.waiting() == 1
                                && System.nanoTime() - start > 3 * WAIT.toNanos());
                    faulty.mood(Mood.GOOD);
                  });
      large.commit();
      later.join();
    }
    assertEquals(20 << 20, store.length("things/large"));
    // The control: a small one does not get as much.
    try (Replacement small = store.replace("things/small")) {
      small.write(bytes("x"));
      faulty.mood(Mood.HANGING);
      assertThrows(IOException.class, small::commit);
      faulty.mood(Mood.GOOD);
    }
    // What nobody waits for any longer still ends, before the directory is removed.
    Await.until(() -> store.meter().hanging() == 0);
  }

  @Test
  void twoWritersOfOneObjectTakeTurns() throws Exception {
    faulty.mood(Mood.SLOW);
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 3; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      store.put("things/abc", bytes("same"));
                    } catch (IOException | RuntimeException e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), failures);
  }

  /** A listing that moves on is not given up, however long it takes; nothing comes afterwards. */
  @Test
  void aListingIsBoundedByItsProgress() throws Exception {
    for (int i = 0; i < 40; i++) {
      store.put("things/abc" + i, bytes("x"));
    }
    int[] seen = new int[1];
    faulty.listPause(Duration.ofMillis(20));
    store.list("things", each -> seen[0]++);
    assertEquals(40, seen[0], "800 ms, though 200 are allowed between two");
    faulty.mood(Mood.DEAF);
    seen[0] = 0;
    assertThrows(IOException.class, () -> store.list("things", each -> seen[0]++));
    faulty.mood(Mood.GOOD);
    Await.until(() -> store.meter().hanging() == 0);
    assertEquals(0, seen[0]);
  }

  @Test
  void whatIsAskedIsCounted() throws Exception {
    store.put("things/abc", bytes("four"));
    store.range("things/abc", 1, 3);
    assertThrows(NoSuchFileException.class, () -> store.range("things/nowhere", 1, 3));
    faulty.mood(Mood.FAILING);
    assertThrows(IOException.class, () -> store.range("things/abc", 0, 1));
    faulty.mood(Mood.GOOD);
    try (Appender appender = store.append("things/grows")) {
      appender.append(bytes("12345"));
    }
    StoreMeter.Totals reads = store.meter().totals(StoreMeter.Call.READ);
    assertEquals(3, reads.calls());
    assertEquals(1, reads.failures(), "that it is not there is an answer");
    assertEquals(4, store.meter().totals(StoreMeter.Call.WRITE).bytes());
    assertEquals(5, store.meter().totals(StoreMeter.Call.APPEND).bytes());
    assertEquals(0, store.meter().underWay());
    assertTrue(store.meter().slowReadNanos() > 0);
    assertFalse(reads.nanos() == 0);
  }
}
