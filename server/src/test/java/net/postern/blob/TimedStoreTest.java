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
  /** For calls that hang. One that must succeed may take longer on a loaded machine. */
  private static final Duration WAIT = Duration.ofMillis(200);

  /** For calls that must succeed. */
  private static final Duration LONG = Duration.ofSeconds(20);

  /** What a call that is given up may take on a loaded machine. */
  private static final Duration BOUND = Duration.ofSeconds(10);

  @TempDir Path temp;
  private FaultyStore faulty;
  private TimedStore store;

  /** The same place, with more patience. */
  private TimedStore patient;

  @BeforeEach
  void make() throws IOException {
    faulty = new FaultyStore(new DirectoryStore("one", temp.resolve("one")));
    store = TimedStore.around(faulty, WAIT);
    patient = TimedStore.around(faulty, LONG);
  }

  @AfterEach
  void heal() {
    faulty.mood(Mood.GOOD);
  }

  @Override
  protected ObjectStore open() throws IOException {
    return TimedStore.around(new DirectoryStore("contract", temp.resolve("contract")), LONG);
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private String read(String object, int length) throws IOException {
    return new String(patient.range(object, 0, length), StandardCharsets.UTF_8);
  }

  @FunctionalInterface
  private interface Work<T> {
    T run() throws IOException;
  }

  /** Does what must succeed with little time too, sooner or later. */
  private static <T> T soon(Work<T> work) {
    List<T> results = new ArrayList<>();
    Await.until(
        () -> {
          try {
            results.add(work.run());
          } catch (IOException e) {
            return false;
          }
          return true;
        });
    return results.getFirst();
  }

  @Test
  void everyCallToAStoreThatHangsEnds() throws Exception {
    patient.put("things/abc", bytes("here"));
    Replacement begun = soon(() -> store.replace("things/abd"));
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
    // All that hang are counted; what no thread took up in its time does not hang.
    Await.until(() -> store.meter().hanging() == faulty.waiting());
    Await.until(
        () -> {
          if (store.meter().hanging() < TimedStore.MAX_HANGING) {
            assertThrows(IOException.class, () -> store.range("things/abc", 0, 4));
          }
          return store.meter().hanging() == TimedStore.MAX_HANGING;
        });
    long start = System.nanoTime();
    IOException refused = assertThrows(IOException.class, () -> store.range("things/abc", 0, 4));
    assertEquals("store one does not answer: 8 calls hang", refused.getMessage());
    assertTrue(System.nanoTime() - start < BOUND.toNanos());

    faulty.mood(Mood.GOOD);
    Await.until(() -> store.meter().hanging() == 0);
    assertEquals(
        "here", new String(soon(() -> store.range("things/abc", 0, 4)), StandardCharsets.UTF_8));
    soon(
        () -> {
          begun.close();
          return true;
        });
  }

  /** A write that was given up happens in the end; it must not undo one that came after it. */
  @Test
  void aLateWriteCannotUndoALaterOne() throws Exception {
    faulty.mood(Mood.HANGING);
    // One that no thread took up in its time never happens.
    Await.until(
        () -> {
          assertThrows(IOException.class, () -> store.put("things/abc", bytes("early")));
          return faulty.waiting() == 1;
        });
    IOException refused =
        assertThrows(IOException.class, () -> store.put("things/abc", bytes("later")));
    assertTrue(refused.toString().contains("an earlier write of things/abc still hangs"));
    assertThrows(IOException.class, () -> store.delete("things/abc"));
    faulty.mood(Mood.GOOD);
    Await.until(() -> store.meter().hanging() == 0);
    assertEquals("early", read("things/abc", 5));
    soon(
        () -> {
          store.put("things/abc", bytes("later"));
          return true;
        });
    assertEquals("later", read("things/abc", 5));
  }

  /** A place that gathers what it is given does all its work in the commit. */
  @Test
  void aLargeReplacementGetsTimeForAllItsBytes() throws Exception {
    try (Replacement large = soon(() -> store.replace("things/large"))) {
      // Of a length that gives each of them seconds.
      for (int i = 0; i < 2; i++) {
        large.write(ByteBuffer.allocate(10 << 20));
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
    assertEquals(20 << 20, patient.length("things/large"));
    // The control: a small one does not get as much.
    try (Replacement small = soon(this::begunSmall)) {
      faulty.mood(Mood.HANGING);
      assertThrows(IOException.class, small::commit);
      faulty.mood(Mood.GOOD);
    }
    // What nobody waits for any longer still ends, before the directory is removed.
    Await.until(() -> store.meter().hanging() == 0);
  }

  private Replacement begunSmall() throws IOException {
    Replacement small = store.replace("things/small");
    small.write(bytes("x"));
    return small;
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
                      patient.put("things/abc", bytes("same"));
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
    for (int i = 0; i < 80; i++) {
      faulty.put("things/abc" + i, bytes("x"));
    }
    TimedStore lists = TimedStore.around(faulty, Duration.ofSeconds(3));
    int[] seen = new int[1];
    faulty.listPause(Duration.ofMillis(50));
    lists.list("things", each -> seen[0]++);
    assertEquals(80, seen[0], "four seconds, though three are allowed between two");
    faulty.mood(Mood.DEAF);
    faulty.listPause(Duration.ZERO);
    seen[0] = 0;
    assertThrows(IOException.class, () -> lists.list("things", each -> seen[0]++));
    faulty.mood(Mood.GOOD);
    Await.until(() -> lists.meter().hanging() == 0);
    assertEquals(0, seen[0]);
  }

  @Test
  void whatIsAskedIsCounted() throws Exception {
    patient.put("things/abc", bytes("four"));
    patient.range("things/abc", 1, 3);
    assertThrows(NoSuchFileException.class, () -> patient.range("things/nowhere", 1, 3));
    faulty.mood(Mood.FAILING);
    assertThrows(IOException.class, () -> patient.range("things/abc", 0, 1));
    faulty.mood(Mood.GOOD);
    try (Appender appender = patient.append("things/grows")) {
      appender.append(bytes("12345"));
    }
    StoreMeter.Totals reads = patient.meter().totals(StoreMeter.Call.READ);
    assertEquals(3, reads.calls());
    assertEquals(1, reads.failures(), "that it is not there is an answer");
    assertEquals(4, patient.meter().totals(StoreMeter.Call.WRITE).bytes());
    assertEquals(5, patient.meter().totals(StoreMeter.Call.APPEND).bytes());
    assertEquals(0, patient.meter().underWay());
    assertTrue(patient.meter().slowReadNanos() > 0);
    assertFalse(reads.nanos() == 0);
  }
}
