package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import net.postern.blob.FaultyStore.Mood;
import net.postern.blob.ForwardingStore;
import net.postern.blob.ObjectStore;
import net.postern.events.MailEvent;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Promise 1 (250 means three) against stores that misbehave. */
@Execution(ExecutionMode.CONCURRENT)
class SegmentVaultTest extends MessageVaultContract {
  @TempDir Path temp;
  private VaultWorld world;

  @BeforeEach
  void open() throws IOException {
    world = new VaultWorld(temp);
  }

  @AfterEach
  void close() {
    world.close();
  }

  @Override
  protected SegmentVault vault() {
    return world.vault();
  }

  @Override
  protected MessageFrame frame(byte[] content) {
    return world.frame(content);
  }

  private long downs() {
    return world.events.stream()
        .filter(e -> e instanceof MailEvent.StoreHealth health && !health.up())
        .count();
  }

  @Test
  void withAllStoresEachStoreAloneHasTheMessage() throws Exception {
    Kept kept = vault().keep(world.frame("hello"));
    assertEquals(3, kept.copies());
    for (int store = 0; store < 3; store++) {
      assertEquals(
          "hello",
          new String(world.alone(store).read(kept.place()).content(), StandardCharsets.UTF_8));
    }
    assertEquals(0, downs());
  }

  /** However one store misbehaves: two copies, one alarm, and the third copy when it is well. */
  @ParameterizedTest
  @EnumSource(
      value = Mood.class,
      names = {"READ_ONLY", "FAILING", "SHORT_WRITES", "HANGING", "DEAF", "FULL"})
  void oneBadStoreMeansTwoCopiesAndAnAlarmAndIsMadeGoodLater(Mood mood) throws Exception {
    Place before = vault().keep(world.frame("before")).place();
    if (mood == Mood.HANGING || mood == Mood.DEAF) {
      reopen(VaultWorld.SHORT);
    }
    world.stores.get(1).mood(mood);
    Kept kept = vault().keep(world.frame("during"));
    assertEquals(2, kept.copies());
    Kept next = vault().keep(world.frame("next"));
    assertEquals(2, next.copies());
    assertEquals(
        "during", new String(vault().read(kept.place()).content(), StandardCharsets.UTF_8));
    assertEquals(2, world.copies(next.place()));
    // A store that the watch finds bad is down a moment before people are told.
    Await.until(() -> downs() > 0);
    assertEquals(1, downs());
    assertTrue(vault().accepting());
    assertFalse(vault().upkeep().health().get(1).up());

    world.stores.get(1).mood(Mood.GOOD);
    world.awaitUp(3);
    Place after = vault().keep(world.frame("after")).place();
    assertNotEquals(kept.place().segment(), after.segment(), "a segment has one set of stores");
    awaitCopies(List.of(before, kept.place(), next.place(), after));
  }

  // From now on a store that hangs is given up soon, and so may be one that is late by chance.
  private void reopen(Duration storeWait) {
    world.storeWait(storeWait);
    world.restart();
    world.awaitUp(3);
  }

  private void awaitCopies(List<Place> places) {
    Await.until(
        () -> {
          try {
            vault().upkeep().equalize();
          } catch (IOException e) {
            return false;
          }
          return places.stream().allMatch(place -> world.copies(place) == 3);
        });
  }

  @ParameterizedTest
  @EnumSource(
      value = Mood.class,
      names = {"READ_ONLY", "SHORT_WRITES", "HANGING"})
  void twoBadStoresMeanThatNothingIsTaken(Mood mood) throws Exception {
    Place before = vault().keep(world.frame("before")).place();
    if (mood == Mood.HANGING) {
      // They get five times as long, since with them all would be well.
      reopen(VaultWorld.SHORT.dividedBy(2));
    }
    world.stores.get(0).mood(mood);
    world.stores.get(2).mood(mood);
    MessageFrame refused = world.frame("refused");
    assertThrows(VaultUnavailableException.class, () -> vault().keep(refused));
    assertThrows(VaultUnavailableException.class, () -> vault().keep(world.frame("again")));
    assertFalse(vault().accepting());
    assertEquals(
        "before",
        new String(vault().read(before).content(), StandardCharsets.UTF_8),
        "reading goes on");

    world.stores.get(0).mood(Mood.GOOD);
    world.stores.get(2).mood(Mood.GOOD);
    world.awaitUp(3);
    awaitCopies(List.of(vault().keep(world.frame("after")).place()));
  }

  /** What one store took while two failed is taken back: it was refused. */
  @Test
  void aGroupBelowTheMinimumIsTakenBack() throws Exception {
    Place before = vault().keep(world.frame("before")).place();
    long length = world.bytes(1, before.segment()).length;
    world.stores.get(0).mood(Mood.READ_ONLY);
    world.stores.get(2).mood(Mood.READ_ONLY);
    assertThrows(VaultUnavailableException.class, () -> vault().keep(world.frame("refused")));
    Await.until(() -> lengthOf(1, before.segment()) == length);
  }

  private long lengthOf(int store, UUID segment) {
    try {
      return world.bytes(store, segment).length;
    } catch (IOException e) {
      return -1;
    }
  }

  /** A store that is slow, but answers within the wait, stays. */
  @Test
  void aSlowStoreIsWaitedFor() throws Exception {
    vault().keep(world.frame("warm"));
    world.stores.get(2).mood(Mood.SLOW);
    for (int i = 0; i < 5; i++) {
      assertEquals(3, vault().keep(world.frame("slow " + i)).copies());
    }
    assertEquals(0, downs());
  }

  /** All disks stall at once, as when they share a controller: it takes longer, nothing fails. */
  @Test
  void aStallOfAllStoresIsWaitedOut() throws Exception {
    world.storeWait(VaultWorld.SHORT);
    vault().keep(world.frame("warm"));
    world.awaitUp(3);
    world.stores.forEach(store -> store.mood(Mood.HANGING));
    Thread healer =
        Thread.ofVirtual()
            .start(
                () -> {
                  Await.until(() -> world.stores.stream().allMatch(store -> store.waiting() > 0));
                  long start = System.nanoTime();
                  long stall = VaultWorld.SHORT.multipliedBy(2).toNanos();
                  Await.until(() -> System.nanoTime() - start > stall);
                  world.stores.forEach(store -> store.mood(Mood.GOOD));
                });
    assertTrue(vault().keep(world.frame("stalled")).copies() >= 2);
    healer.join();
  }

  /**
   * A late lane still reads the shared buffer when the next groups are put together: what it writes
   * in the end must be the group it was given, not a later one.
   */
  @Test
  void aLateStoreWritesWhatItWasGiven() throws Exception {
    // So that nobody else writes to the store what it lacks.
    world.facts = segment -> SegmentFacts.Fate.LEFT_ALONE;
    world.storeWait(VaultWorld.SHORT);
    Place first = inAllStores("first");
    world.stores.get(0).mood(Mood.HANGING);
    Place late = vault().keep(world.frame("late")).place();
    for (int i = 0; i < 5; i++) {
      vault().keep(world.frame("other " + i));
    }
    world.stores.get(0).mood(Mood.GOOD);
    world.awaitUp(3);
    assertArrayEquals(world.bytes(1, first.segment()), world.bytes(0, first.segment()));
    assertEquals("late", new String(world.alone(0).read(late).content(), StandardCharsets.UTF_8));
  }

  // The wait for a store is short: one that is late by chance has to come back first.
  private Place inAllStores(String text) throws Exception {
    for (int i = 0; i < 20; i++) {
      Kept kept = vault().keep(world.frame(text));
      if (kept.copies() == 3) {
        return kept.place();
      }
      world.awaitUp(3);
    }
    throw new AssertionError("a store is late each time");
  }

  @Test
  void segmentsEndAtTheirSizeAndCopiesAreEqual() throws Exception {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      places.add(vault().keep(world.frame(new byte[400_000])).place());
    }
    assertEquals(2, places.stream().map(Place::segment).distinct().count());
    for (Place place : places) {
      for (int store = 1; store < 3; store++) {
        assertArrayEquals(world.bytes(0, place.segment()), world.bytes(store, place.segment()));
      }
    }
    assertEquals(0, vault().upkeep().equalize(), "the control: nothing to copy");
  }

  /** Stores come and go under load: what was acknowledged is there, in every store in the end. */
  @Test
  void nothingAcknowledgedIsLostWhileStoresComeAndGo() throws Exception {
    Map<Place, String> kept = new ConcurrentHashMap<>();
    AtomicBoolean go = new AtomicBoolean(true);
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> writers = new ArrayList<>();
    world.storeWait(VaultWorld.SHORT);
    SegmentVault vault = vault();
    for (int writer = 0; writer < 4; writer++) {
      writers.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (go.get()) {
                      String text = UUID.randomUUID().toString();
                      try {
                        Kept done = vault.keep(world.frame(text));
                        kept.put(done.place(), text);
                        if (!text.equals(
                            new String(
                                vault.read(done.place()).content(), StandardCharsets.UTF_8))) {
                          failures.add(new AssertionError("read back something else"));
                        }
                      } catch (VaultUnavailableException e) {
                        // Refused: nothing was promised.
                      } catch (InterruptedException | RuntimeException | Error e) {
                        failures.add(e);
                      }
                    }
                  }));
    }
    Mood[] moods = {Mood.READ_ONLY, Mood.HANGING, Mood.SHORT_WRITES};
    for (int i = 0; i < 3; i++) {
      int so = kept.size();
      Await.until(() -> kept.size() > so + 20);
      world.stores.get(i).mood(moods[i]);
      int then = kept.size();
      Await.until(() -> kept.size() > then + 20 && vault.storesUp() < 3);
      world.stores.get(i).mood(Mood.GOOD);
      Await.until(() -> vault.storesUp() == 3);
      // The next failure must not meet messages that have only two copies.
      vault.upkeep().equalize();
    }
    go.set(false);
    for (Thread writer : writers) {
      assertTrue(writer.join(Duration.ofSeconds(20)));
    }
    assertEquals(List.of(), failures);
    world.restart();
    vault().upkeep().equalize();
    for (Map.Entry<Place, String> each : kept.entrySet()) {
      for (int store = 0; store < 3; store++) {
        assertEquals(
            each.getValue(),
            new String(world.alone(store).read(each.getKey()).content(), StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void closeCommitsWhatWaitsAndThenRefuses() throws Exception {
    world.stores.get(0).mood(Mood.SLOW);
    Map<Place, String> kept = new ConcurrentHashMap<>();
    List<Throwable> surprises = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    SegmentVault vault = vault();
    vault.keep(world.frame("warm"));
    for (int i = 0; i < 30; i++) {
      String text = "message " + i;
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int n = 0; n < 20; n++) {
                        kept.put(vault.keep(world.frame(text)).place(), text);
                      }
                    } catch (VaultUnavailableException e) {
                      if (!e.toString().contains("closed")) {
                        surprises.add(e);
                      }
                    } catch (InterruptedException | RuntimeException e) {
                      surprises.add(e);
                    }
                  }));
    }
    Await.until(() -> kept.size() > 30);
    vault.close();
    for (Thread thread : threads) {
      assertTrue(thread.join(Duration.ofSeconds(20)), "a caller still waits");
    }
    assertEquals(List.of(), surprises);
    for (Map.Entry<Place, String> each : kept.entrySet()) {
      assertEquals(
          each.getValue(),
          new String(world.alone(2).read(each.getKey()).content(), StandardCharsets.UTF_8));
    }
    assertThrows(VaultUnavailableException.class, () -> vault.keep(world.frame("late")));
  }

  /** One damaged copy, or two damaged at different places, hide nothing; equalize mends them. */
  @Test
  void damageInDifferentPlacesOfDifferentStoresLosesNothing() throws Exception {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      places.add(vault().keep(world.frame("message " + i)).place());
    }
    UUID segment = places.getFirst().segment();
    world.restart();
    byte[] whole = world.bytes(0, segment);
    damage(0, segment, places.get(2).offset() + 100);
    damage(1, segment, places.get(6).offset() + 2);
    world.disks.get(2).delete(Segment.object(segment));

    List<Place> seen = new ArrayList<>();
    assertTrue(vault().walk(segment, (place, id, content) -> seen.add(place)).whole());
    assertEquals(places, seen);
    vault().upkeep().mend(segment);
    for (int store = 0; store < 3; store++) {
      assertArrayEquals(whole, world.bytes(store, segment), "store " + store);
    }
    assertEquals(0, vault().upkeep().mend(segment), "the control: nothing left to mend");
  }

  /** Even a frame that is damaged everywhere does not hide those behind it. */
  @Test
  void whatIsBehindAFrameThatIsLostIsFound() throws Exception {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      places.add(vault().keep(world.frame("message " + i)).place());
    }
    UUID segment = places.getFirst().segment();
    world.restart();
    for (int store = 0; store < 3; store++) {
      damage(store, segment, places.get(3).offset() + 9);
    }
    byte[] before = world.bytes(0, segment);
    List<Place> seen = new ArrayList<>();
    SegmentVault.Walked walked = vault().walk(segment, (place, id, content) -> seen.add(place));
    assertTrue(walked.answered());
    assertEquals(1, walked.gaps());
    List<Place> expected = new ArrayList<>(places);
    expected.remove(3);
    assertEquals(expected, seen);
    vault().upkeep().mend(segment);
    assertArrayEquals(before, world.bytes(0, segment), "nothing is cut off");
  }

  private void damage(int store, UUID segment, long at) throws IOException {
    byte[] bytes = world.bytes(store, segment);
    bytes[(int) at] ^= 1;
    world.disks.get(store).put(Segment.object(segment), ByteBuffer.wrap(bytes));
  }

  /**
   * After a crash the ends differ: the longest whole one wins, torn ends go, headers are enough.
   */
  @Test
  void endsAreMadeEqualAfterACrash() throws Exception {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      places.add(vault().keep(world.frame("message " + i)).place());
    }
    UUID segment = places.getFirst().segment();
    world.restart();
    byte[] whole = world.bytes(0, segment);
    cut(0, segment, whole.length - 7);
    cut(1, segment, (int) places.get(2).offset());
    byte[] torn = java.util.Arrays.copyOf(whole, whole.length + 60);
    System.arraycopy(whole, Segment.HEADER, torn, whole.length, 60);
    world.disks.get(2).put(Segment.object(segment), ByteBuffer.wrap(torn));
    UUID empty = UUID.randomUUID();
    world.disks.get(0).put(Segment.object(empty), ByteBuffer.allocate(0));
    world.disks.get(1).put(Segment.object(empty), ByteBuffer.wrap(Segment.header(empty, 1)));

    List<Place> seen = new ArrayList<>();
    vault().walk(segment, (place, id, content) -> seen.add(place));
    assertEquals(places, seen);
    vault().walk(empty, (place, id, content) -> seen.add(place));
    assertEquals(places, seen, "a segment of a header alone has no message");
    vault().upkeep().mend(segment);
    vault().upkeep().mend(empty);
    for (int store = 0; store < 3; store++) {
      assertArrayEquals(whole, world.bytes(store, segment), "store " + store);
      assertArrayEquals(Segment.header(empty, 1), world.bytes(store, empty), "store " + store);
    }
  }

  private void cut(int store, UUID segment, int length) throws IOException {
    byte[] bytes = world.bytes(store, segment);
    world.disks.get(store).put(Segment.object(segment), ByteBuffer.wrap(bytes, 0, length));
  }

  @Test
  void theSegmentThatIsBeingWrittenIsLeftAlone() throws Exception {
    Place place = vault().keep(world.frame("one")).place();
    assertTrue(vault().isOwn(place.segment()));
    world.disks.get(2).delete(Segment.object(place.segment()));
    assertEquals(0, vault().upkeep().mend(place.segment()));
    assertEquals(0, vault().upkeep().equalize());
    assertThrows(IOException.class, () -> world.bytes(2, place.segment()));
    world.restart();
    vault().upkeep().mend(place.segment());
    assertEquals(3, world.copies(place), "the control");
  }

  /** A damaged key record is replaced by a good one, whatever their lengths. */
  @Test
  void keysAreMendedFromARecordThatIsWhole() throws Exception {
    String object = "keys/" + world.mailbox;
    byte[] good = world.disks.get(1).range(object, 0, (int) world.disks.get(1).length(object));
    world.disks.get(0).put(object, ByteBuffer.wrap(java.util.Arrays.copyOf(good, 500)));
    world.disks.get(2).delete(object);
    vault().upkeep().equalize();
    for (int store = 0; store < 3; store++) {
      int at = store;
      Await.until(() -> java.util.Arrays.equals(good, keyBytes(at, object)));
    }
  }

  private byte[] keyBytes(int store, String object) {
    try {
      return world.disks.get(store).range(object, 0, (int) world.disks.get(store).length(object));
    } catch (IOException e) {
      return new byte[0];
    }
  }

  /** A store that says how long its copy is, and fails behind the first frame. */
  private static final class FailsBehind extends ForwardingStore {
    private final long offset;

    FailsBehind(ObjectStore store, long offset) {
      super(store);
      this.offset = offset;
    }

    @Override
    public byte[] range(String object, long at, int length) throws IOException {
      if (object.startsWith(Segment.KIND) && at + length > offset) {
        throw new IOException("no reading here");
      }
      return super.range(object, at, length);
    }
  }

  /** What stores fail over while it is read was not seen, whatever they said of lengths. */
  @Test
  void copiesThatFailOnTheWayCountAsNotAsked() throws Exception {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      places.add(vault().keep(world.frame("message " + i)).place());
    }
    UUID segment = places.getFirst().segment();
    world.restart();
    cut(0, segment, (int) places.get(2).offset());
    long offset = places.get(1).offset();
    List<ObjectStore> one = new ArrayList<>(world.disks);
    one.set(1, new FailsBehind(one.get(1), offset));
    List<ObjectStore> two = new ArrayList<>(one);
    two.set(2, new FailsBehind(one.get(2), offset));
    List<Place> seen = new ArrayList<>();
    try (SegmentVault vault = world.vaultOver(two)) {
      assertFalse(vault.walk(segment, (place, id, content) -> seen.add(place)).whole());
      assertEquals(places.subList(0, 2), seen);
    }
    seen.clear();
    try (SegmentVault vault = world.vaultOver(one)) {
      assertTrue(vault.walk(segment, (place, id, content) -> seen.add(place)).whole());
      assertEquals(places, seen, "the control: two stores have all that was acknowledged");
    }
  }

  /** With one store of three it is not known what the others have: that must be said. */
  @Test
  void aWalkSaysWhetherItCanHaveSeenEverything() throws Exception {
    Place place = vault().keep(world.frame("one")).place();
    world.restart();
    assertTrue(vault().walk(place.segment(), (at, id, content) -> {}).whole());
    assertTrue(vault().segments().complete());
    world.stores.get(0).mood(Mood.FAILING);
    assertTrue(
        vault().walk(place.segment(), (at, id, content) -> {}).whole(), "two of three are enough");
    world.stores.get(1).mood(Mood.FAILING);
    assertFalse(vault().walk(place.segment(), (at, id, content) -> {}).whole());
    assertFalse(vault().segments().complete());
  }
}
