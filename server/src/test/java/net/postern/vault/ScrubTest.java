package net.postern.vault;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore.Mood;
import net.postern.blob.ObjectStore;
import net.postern.blob.PacedStore;
import net.postern.blob.TimedStore;
import net.postern.config.ByteSize;
import net.postern.config.TestConfig;
import net.postern.config.VaultConfig;
import net.postern.events.MailEvent;
import net.postern.id.MailboxId;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What decays in a store is found and made good from the others; nothing is ever made worse. */
@Execution(ExecutionMode.CONCURRENT)
class ScrubTest {
  private static final int FLIPS = 1_000;

  /** For what looks at many segments. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** Seconds of a pass that is to be cut off somewhere in the middle. */
  private static final int SLOW = 20;

  @TempDir Path temp;
  private VaultWorld world;
  private final Map<Place, byte[]> kept = new ConcurrentHashMap<>();

  @BeforeEach
  void open() throws IOException {
    world = new VaultWorld(temp, 48 << 10);
  }

  @AfterEach
  void close() {
    world.close();
  }

  /** Keeps messages of random lengths in several segments, and ends the vault. */
  private void fill(int messages, int most) throws Exception {
    Random random = new Random(messages);
    for (int i = 0; i < messages; i++) {
      byte[] content = new byte[random.nextInt(most)];
      random.nextBytes(content);
      kept.put(world.vault().keep(world.frame(content)).place(), content);
    }
    world.restart();
  }

  private StoreCheck.Result run(boolean repair, List<Finding> findings) throws IOException {
    return StoreCheck.run(
        world.config(),
        world.stores,
        SegmentFacts.ALL_KEPT,
        Optional.of(world.keys()),
        repair,
        Clock.systemUTC(),
        findings::add);
  }

  private List<Map<String, byte[]>> content() throws IOException {
    List<Map<String, byte[]>> all = new ArrayList<>();
    for (DirectoryStore disk : world.disks) {
      all.add(Disks.content(disk));
    }
    return all;
  }

  private void assertAll(Map<String, byte[]> expected) throws IOException {
    for (DirectoryStore disk : world.disks) {
      Disks.assertSame(expected, Disks.content(disk), disk.name());
    }
  }

  private List<String> segments() throws IOException {
    return Disks.content(world.disks.getFirst()).keySet().stream()
        .filter(object -> object.startsWith("segments/"))
        .toList();
  }

  private record Flip(int store, String object, long at, int bit) {}

  /**
   * One bit in each of a thousand places, all over all stores, so that there are frames that are
   * damaged in every copy. Each alone is found; all together are repaired while readers read.
   */
  @Test
  void aThousandFlippedBitsAreFoundAndRepairedAndNoneIsServed() throws Exception {
    for (int i = 0; i < 30; i++) {
      world.keys().createMailbox(world.customer, MailboxId.create(), "user" + i + "@example.com");
    }
    fill(500, 16_000);
    Map<String, byte[]> before = content().getFirst();
    assertAll(before);
    List<Finding> none = new ArrayList<>();
    assertTrue(run(false, none).whole(), "the control: nothing is found where nothing is wrong");
    assertEquals(List.of(), none);

    List<Flip> flips = flips(before);
    Mender mender = new Mender(3, 2, SegmentFacts.ALL_KEPT, ParcelCheck.NO_KEYS);
    List<ObjectStore> disks = List.copyOf(world.disks);
    int alone = 0;
    for (Flip flip : flips) {
      DirectoryStore disk = world.disks.get(flip.store());
      Disks.flip(disk, flip.object(), flip.at(), flip.bit());
      List<Finding> found = mender.check(flip.object(), disks).findings();
      assertEquals(1, found.size(), () -> flip + ": " + found);
      assertEquals(disk.name(), found.getFirst().store());
      alone++;
      Disks.flip(disk, flip.object(), flip.at(), flip.bit());
    }
    assertAll(before);

    for (Flip flip : flips) {
      Disks.flip(world.disks.get(flip.store()), flip.object(), flip.at(), flip.bit());
    }
    Set<String> spoiled =
        flips.stream()
            .map(flip -> world.disks.get(flip.store()).name() + " " + flip.object())
            .collect(Collectors.toSet());
    List<Finding> seen = new ArrayList<>();
    run(false, seen);
    assertEquals(
        spoiled,
        seen.stream().map(each -> each.store() + " " + each.object()).collect(Collectors.toSet()));

    SegmentVault vault = world.vault();
    AtomicBoolean go = new AtomicBoolean(true);
    AtomicLong good = new AtomicLong();
    AtomicLong refused = new AtomicLong();
    AtomicInteger wrong = new AtomicInteger();
    List<Place> places = List.copyOf(kept.keySet());
    List<Thread> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Random random = new Random(i);
      readers.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (go.get()) {
                      Place place = places.get(random.nextInt(places.size()));
                      try {
                        byte[] content = vault.read(place).content();
                        wrong.addAndGet(Arrays.equals(kept.get(place), content) ? 0 : 1);
                        good.incrementAndGet();
                      } catch (VaultUnavailableException e) {
                        refused.incrementAndGet();
                      }
                    }
                  }));
    }
    Await.until(() -> good.get() > 100);
    List<Finding> findings = new ArrayList<>();
    StoreCheck.Result result = run(true, findings);
    long during = good.get();
    Await.until(() -> good.get() > during + 100);
    go.set(false);
    for (Thread reader : readers) {
      assertTrue(reader.join(Duration.ofSeconds(20)));
    }
    System.out.printf(
        "scrub: %d bits flipped in %d objects, found alone %d, found together %d copies, repaired"
            + " %d and by readers %d, not repaired %d; reads %d good, %d wrong, %d none%n",
        flips.size(),
        spoiled.size(),
        alone,
        seen.size(),
        result.repaired(),
        vault.upkeep().repaired(),
        result.unrepaired(),
        good.get(),
        wrong.get(),
        refused.get());
    assertEquals(0, wrong.get());
    assertEquals(
        List.of(),
        findings.stream()
            .filter(finding -> finding.outcome() != Finding.Outcome.REPAIRED)
            .toList());
    world.restart();
    assertAll(before);
    List<Finding> after = new ArrayList<>();
    assertTrue(run(false, after).whole(), after::toString);
    for (Map.Entry<Place, byte[]> each : kept.entrySet()) {
      for (int store = 0; store < 3; store++) {
        assertArrayEquals(each.getValue(), world.alone(store).read(each.getKey()).content());
      }
    }
  }

  private static List<Flip> flips(Map<String, byte[]> before) {
    Random random = new Random(11);
    List<String> objects = List.copyOf(before.keySet());
    List<String> keys = objects.stream().filter(object -> object.startsWith("keys/")).toList();
    List<String> segments =
        objects.stream().filter(object -> object.startsWith("segments/")).toList();
    long total =
        segments.stream().mapToLong(object -> requireNonNull(before.get(object)).length).sum();
    // The same byte in two of three copies is beyond what three copies can bear.
    Set<String> taken = new HashSet<>();
    List<Flip> flips = new ArrayList<>();
    while (flips.size() < FLIPS) {
      String object;
      long at;
      if (flips.size() % 20 == 0) {
        object = keys.get(random.nextInt(keys.size()));
        at = random.nextInt(requireNonNull(before.get(object)).length);
      } else if (flips.size() % 20 == 1) {
        object = segments.get(random.nextInt(segments.size()));
        at = random.nextInt(Segment.HEADER);
      } else {
        at = random.nextLong(total);
        object = "";
        for (String each : segments) {
          object = each;
          if (at < requireNonNull(before.get(each)).length) {
            break;
          }
          at -= requireNonNull(before.get(each)).length;
        }
      }
      if (taken.add(object + " " + at)) {
        flips.add(new Flip(random.nextInt(3), object, at, random.nextInt(8)));
      }
    }
    return flips;
  }

  /** Every sort of damage at once, in segments and keys; then the stores are what they were. */
  @Test
  void everySortOfDamageIsFoundAndMadeGood() throws Exception {
    fill(60, 9_000);
    Map<String, byte[]> before = content().getFirst();
    List<String> segments = segments();
    assertTrue(segments.size() >= 6, segments::toString);
    List<DirectoryStore> disks = world.disks;
    Disks.cut(
        disks.get(0), segments.get(0), requireNonNull(before.get(segments.get(0))).length - 100);
    Disks.cut(disks.get(1), segments.get(0), 20);
    disks.get(2).delete(segments.get(1));
    Disks.swap(disks.get(0), segments.get(2), segments.get(3));
    Disks.swap(disks.get(1), segments.get(3), segments.get(4));
    disks.get(0).delete(segments.get(5));
    disks.get(1).delete(segments.get(5));
    String key = "keys/" + world.mailbox;
    Disks.swap(disks.get(1), key, "keys/" + world.other);
    Disks.cut(disks.get(2), key, 30);
    // What is not ours.
    String garbage = "segments/" + UUID.randomUUID();
    disks.get(1).put(garbage, ByteBuffer.wrap("what is this?".getBytes(StandardCharsets.UTF_8)));
    disks.get(0).put("segments/readme", ByteBuffer.wrap(new byte[] {1, 2, 3}));
    disks.get(2).put("keys/" + UUID.randomUUID(), ByteBuffer.wrap(new byte[300]));
    disks.get(0).put("probe/" + UUID.randomUUID(), ByteBuffer.wrap(new byte[3]));
    Path group = Disks.file(disks.get(2), segments.get(0)).resolveSibling("x");
    Files.writeString(group.resolveSibling("notes.TXT"), "notes");
    Path part = group.resolveSibling("a.part");
    Files.writeString(part, "unfinished");
    Files.setLastModifiedTime(part, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
    Path young = group.resolveSibling("b.part");
    Files.writeString(young, "perhaps going on");

    List<Map<String, byte[]>> spoiled = content();
    List<Finding> found = new ArrayList<>();
    assertFalse(run(false, found).whole());
    for (int store = 0; store < 3; store++) {
      Disks.assertSame(spoiled.get(store), Disks.content(disks.get(store)), "verify changes");
    }
    Set<Damage> sorts = found.stream().map(Finding::damage).collect(Collectors.toSet());
    assertTrue(
        sorts.containsAll(
            Set.of(
                Damage.MISSING,
                Damage.TRUNCATED,
                Damage.SWAPPED,
                Damage.DAMAGED,
                Damage.FOREIGN,
                Damage.LEFTOVER)),
        sorts::toString);

    List<Finding> findings = new ArrayList<>();
    StoreCheck.Result result = run(true, findings);
    assertTrue(result.whole(), findings::toString);
    assertAll(before);
    List<Finding> again = new ArrayList<>();
    assertTrue(run(true, again).whole());
    assertEquals(List.of(), again, "the second time there is nothing left");
    assertTrue(Files.exists(young));
    assertFalse(Files.exists(part));
    List<String> aside = new ArrayList<>();
    disks.get(1).list(ObjectStore.ASIDE, each -> aside.add(each.object()));
    assertEquals(1, aside.size(), aside::toString);
    assertEquals(
        "what is this?",
        new String(Disks.bytes(disks.get(1), aside.getFirst()), StandardCharsets.UTF_8));
  }

  /** All of two segments lies under the other's name, in every store: nothing is lost. */
  @Test
  void objectsThatAreExchangedEverywhereFindTheirPlaces() throws Exception {
    fill(20, 9_000);
    Map<String, byte[]> before = content().getFirst();
    List<String> segments = segments();
    for (DirectoryStore disk : world.disks) {
      Disks.swap(disk, segments.get(0), segments.get(1));
    }
    List<Finding> findings = new ArrayList<>();
    run(true, findings);
    List<Finding> second = new ArrayList<>();
    assertTrue(run(true, second).whole(), second::toString);
    assertAll(before);
  }

  /** What only one store has is data: the others get it. A segment that was removed goes. */
  @Test
  void extraSegmentsAreCopiedUnlessTheyWereRemoved() throws Exception {
    fill(30, 9_000);
    List<String> segments = segments();
    Map<String, byte[]> before = content().getFirst();
    for (int store = 1; store < 3; store++) {
      world.disks.get(store).delete(segments.get(0));
      world.disks.get(store).delete(segments.get(1));
    }
    UUID removed = Segment.name(segments.get(0)).orElseThrow();
    StoreCheck.run(
        world.config(),
        world.stores,
        segment -> segment.equals(removed) ? SegmentFacts.Fate.REMOVED : SegmentFacts.Fate.KEPT,
        Optional.empty(),
        true,
        Clock.systemUTC(),
        finding -> {});
    Map<String, byte[]> expected = new TreeMap<>(before);
    expected.remove(segments.get(0));
    assertAll(expected);
  }

  /** What somebody else may be writing is not touched, and not called damage. */
  @Test
  void whatIsLeftAloneIsLeftAlone() throws Exception {
    fill(8, 9_000);
    String segment = segments().getFirst();
    world.disks.get(1).delete(segment);
    Disks.flip(world.disks.get(0), segment, 100, 1);
    List<Map<String, byte[]>> before = content();
    List<Finding> findings = new ArrayList<>();
    StoreCheck.Result result =
        StoreCheck.run(
            world.config(),
            world.stores,
            each -> SegmentFacts.Fate.LEFT_ALONE,
            Optional.empty(),
            true,
            Clock.systemUTC(),
            findings::add);
    assertEquals(List.of(), findings);
    assertTrue(result.whole());
    for (int store = 0; store < 3; store++) {
      Disks.assertSame(before.get(store), Disks.content(world.disks.get(store)), "store " + store);
    }
  }

  /** The same byte in every copy: reported, kept as it is, and healed when a good copy turns up. */
  @Test
  void whatNoCopyCanHealIsReportedAndKept() throws Exception {
    fill(6, 9_000);
    String segment = segments().getFirst();
    byte[] good = Disks.bytes(world.disks.getFirst(), segment);
    for (int store = 0; store < 3; store++) {
      // Different bits, so that no two copies agree.
      Disks.flip(world.disks.get(store), segment, 200, store);
    }
    Disks.flip(world.disks.get(1), segment, good.length - 5, 1);
    List<Map<String, byte[]>> spoiled = content();
    List<Finding> findings = new ArrayList<>();
    StoreCheck.Result result = run(true, findings);
    assertFalse(result.whole());
    assertEquals(3, result.unrepaired(), findings::toString);
    for (int store = 0; store < 3; store++) {
      byte[] now = Disks.bytes(world.disks.get(store), segment);
      assertEquals(requireNonNull(spoiled.get(store).get(segment))[200], now[200], "kept as it is");
      assertEquals(good[good.length - 5], now[good.length - 5], "the rest is mended");
    }
    world.disks.get(2).put(segment, ByteBuffer.wrap(good));
    assertTrue(run(true, new ArrayList<>()).whole());
    for (DirectoryStore disk : world.disks) {
      assertArrayEquals(good, Disks.bytes(disk, segment));
    }
  }

  /** A copy that cannot be read where no other is whole may have what no other has. */
  @Test
  void aCopyThatCannotBeReadIsNotReplaced() throws Exception {
    fill(6, 9_000);
    String segment = segments().getFirst();
    byte[] good = Disks.bytes(world.disks.getFirst(), segment);
    Disks.flip(world.disks.get(1), segment, 200, 0);
    Disks.flip(world.disks.get(2), segment, 200, 1);
    Disks.flip(world.disks.get(0), segment, good.length - 5, 1);
    ObjectStore badSector = new BadSector(world.disks.get(0), segment, 150, 250);
    Mender mender = new Mender(3, 2, SegmentFacts.ALL_KEPT, ParcelCheck.NO_KEYS);
    List<ObjectStore> stores = List.of(badSector, world.disks.get(1), world.disks.get(2));
    Mender.Report report = mender.mend(segment, stores);
    assertTrue(
        report.findings().stream()
            .anyMatch(
                finding ->
                    finding.store().equals("store-1")
                        && finding.outcome() == Finding.Outcome.UNREPAIRED),
        report::toString);
    assertEquals(good[200], Disks.bytes(world.disks.get(0), segment)[200], "it is still there");
    mender.mend(segment, List.copyOf(world.disks));
    assertArrayEquals(good, Disks.bytes(world.disks.get(1), segment), "the control: it was good");
  }

  /** A store that hangs in the middle costs its own repair and no other; later it gets its own. */
  @Test
  void aStoreThatHangsDoesNotHoldUpTheOthers() throws Exception {
    fill(40, 9_000);
    Map<String, byte[]> before = content().getFirst();
    for (String segment : segments()) {
      Disks.flip(world.disks.get(0), segment, 300, 3);
      Disks.flip(world.disks.get(2), segment, 900, 3);
    }
    // The well ones are waited for; the third may be late as well as hang.
    List<ObjectStore> stores =
        List.of(
            TimedStore.around(world.stores.get(0), VaultWorld.READ_WAIT),
            TimedStore.around(world.stores.get(1), VaultWorld.READ_WAIT),
            TimedStore.around(world.stores.get(2), Duration.ofMillis(500)));
    AtomicInteger repaired = new AtomicInteger();
    StoreCheck.Result result =
        StoreCheck.run(
            world.config(),
            stores,
            SegmentFacts.ALL_KEPT,
            Optional.empty(),
            true,
            Clock.systemUTC(),
            finding -> {
              if (repaired.incrementAndGet() == 3) {
                world.stores.get(2).mood(Mood.DEAF);
              }
            });
    assertFalse(result.whole());
    assertFalse(requireNonNull(result.stores().get("store-3")).full());
    Disks.assertSame(before, Disks.content(world.disks.get(0)), "the first");
    world.stores.get(2).mood(Mood.GOOD);
    Await.until(() -> world.stores.get(2).waiting() == 0);
    Await.until(
        () -> {
          try {
            return run(true, new ArrayList<>()).whole();
          } catch (IOException e) {
            return false;
          }
        });
    assertAll(before);
  }

  private VaultConfig config(long rate, Duration every) {
    VaultConfig of = TestConfig.with(world.config(), "scrubRate", new ByteSize(rate));
    return TestConfig.with(of, "scrubEvery", every);
  }

  /**
   * The process dies at every write of a repair in turn: no copy has less than before, and the next
   * run finishes.
   */
  @Test
  void aRepairThatIsKilledAnywhereTakesNothing() throws Exception {
    fill(20, 9_000);
    Map<String, byte[]> before = content().getFirst();
    List<String> segments = segments();
    int point = 0;
    boolean died = true;
    while (died) {
      point++;
      for (DirectoryStore disk : world.disks) {
        for (Map.Entry<String, byte[]> each : before.entrySet()) {
          if (!Arrays.equals(each.getValue(), bytes(disk, each.getKey()))) {
            disk.put(each.getKey(), ByteBuffer.wrap(each.getValue()));
          }
        }
      }
      Disks.flip(world.disks.get(0), segments.get(0), 500, 1);
      Disks.flip(world.disks.get(1), segments.get(0), 45, 1);
      Disks.swap(world.disks.get(2), segments.get(0), segments.get(1));
      world.disks.get(1).delete("keys/" + world.mailbox);
      MortalStore.Life life = new MortalStore.Life(point);
      List<ObjectStore> mortal = new ArrayList<>();
      world.disks.forEach(disk -> mortal.add(new MortalStore(disk, life)));
      List<Set<String>> had = frames();
      try {
        StoreCheck.run(
            world.config(),
            mortal,
            SegmentFacts.ALL_KEPT,
            Optional.empty(),
            true,
            Clock.systemUTC(),
            finding -> {});
      } catch (IOException e) {
        // As dead as it can be.
      }
      died = life.over();
      List<Set<String>> has = frames();
      for (String frame : had.stream().flatMap(Set::stream).collect(Collectors.toSet())) {
        long copies = had.stream().filter(set -> set.contains(frame)).count();
        long now = has.stream().filter(set -> set.contains(frame)).count();
        assertTrue(now >= Math.min(copies, 2), "killed at write " + point + ": " + frame);
      }
      List<Finding> findings = new ArrayList<>();
      assertTrue(run(true, findings).whole(), findings::toString);
      assertAll(before);
    }
    assertTrue(point > 10, "it died at " + point + " points");
    System.out.printf("scrub: killed at each of %d writes%n", point - 1);
  }

  // Of each store: which frames are whole, under whatever name.
  private List<Set<String>> frames() throws IOException {
    List<Set<String>> all = new ArrayList<>();
    for (DirectoryStore disk : world.disks) {
      Set<String> frames = new HashSet<>();
      for (String object : Disks.content(disk).keySet()) {
        if (object.startsWith("segments/")) {
          UUID name = Segment.name(object).orElseThrow();
          SegmentCopies.find(List.of(disk), name)
              .walk((place, header, frame) -> frames.add(header.id().toString()));
        }
      }
      all.add(frames);
    }
    return all;
  }

  /** In the background: what is spoiled is found, told, counted; the pace is kept. */
  @Test
  void theBackgroundScrubGoesOnWhereItWas() throws Exception {
    fill(150, 48_000);
    Map<String, byte[]> before = content().getFirst();
    for (String segment : segments()) {
      Disks.flip(world.disks.get(1), segment, 77, 7);
    }
    Path file = temp.resolve("scrub.state");
    SegmentVault vault = world.vault();
    long all = before.values().stream().mapToLong(bytes -> bytes.length).sum();
    // So slow that it must be cut in the middle.
    VaultConfig slow = config(all / SLOW, Duration.ofDays(7));
    ScrubState cut;
    try (Scrubber scrubber =
        new Scrubber(slow, vault, file, world.events::add, Clock.systemUTC())) {
      Await.until(() -> scrubber.state().after().startsWith("segments/"));
    }
    cut = ScrubState.load(file);
    assertTrue(cut.underWay());
    assertTrue(cut.after().startsWith("segments/"), cut::after);
    VaultConfig fast = config(1 << 30, Duration.ofDays(7));
    long checked = cut.store("store-1").objects();
    try (Scrubber scrubber =
        new Scrubber(fast, vault, file, world.events::add, Clock.systemUTC())) {
      Await.until(LIMIT, () -> !scrubber.state().underWay());
      ScrubState state = scrubber.state();
      assertEquals(before.size(), state.store("store-1").objects(), "none twice, none left");
      assertTrue(checked > 0 && checked < before.size());
      assertTrue(state.store("store-2").lastFullPass().isPresent());
      assertEquals(segments().size(), state.store("store-2").repaired());
    }
    assertAll(before);
    assertEquals(
        segments().size(),
        world.events.stream().filter(event -> event instanceof MailEvent.StoreDamage).count());
    assertTrue(
        world.events.stream()
            .anyMatch(event -> event instanceof MailEvent.Scrubbed scrub && scrub.full()));
    ScrubState kept = ScrubState.load(file);
    assertFalse(kept.underWay());
    Files.writeString(file, "started=nonsense");
    assertEquals(ScrubState.NEW, ScrubState.load(file), "a damaged state is none");
  }

  /** What was not looked at before a restart was not looked at, whatever comes after it. */
  @Test
  void aStoreThatWasAwayBeforeTheRestartHasNoFullPass() throws Exception {
    fill(150, 48_000);
    Path file = temp.resolve("scrub.state");
    SegmentVault vault = world.vault();
    long all = content().getFirst().values().stream().mapToLong(bytes -> bytes.length).sum();
    VaultConfig slow = config(all / SLOW, Duration.ofDays(7));
    world.stores.get(2).mood(Mood.FULL);
    world.awaitUp(2);
    try (Scrubber scrubber =
        new Scrubber(slow, vault, file, world.events::add, Clock.systemUTC())) {
      Await.until(() -> scrubber.state().after().startsWith("segments/"));
    }
    assertTrue(ScrubState.load(file).underWay());
    assertEquals(Set.of("store-3"), ScrubState.load(file).gaps());
    world.stores.get(2).mood(Mood.GOOD);
    world.awaitUp(3);
    VaultConfig fast = config(1 << 30, Duration.ofDays(7));
    try (Scrubber scrubber =
        new Scrubber(fast, vault, file, world.events::add, Clock.systemUTC())) {
      Await.until(LIMIT, () -> !scrubber.state().underWay());
      assertTrue(scrubber.state().store("store-3").lastFullPass().isEmpty());
      assertTrue(scrubber.state().store("store-1").lastFullPass().isPresent(), "the control");
    }
    assertFalse(
        world.events.stream()
            .anyMatch(event -> event instanceof MailEvent.Scrubbed scrub && scrub.full()));
  }

  @Test
  void theRateHolds() throws Exception {
    DirectoryStore disk = world.disks.getFirst();
    disk.put("segments/" + UUID.randomUUID(), ByteBuffer.allocate(10));
    String object = "segments/" + UUID.randomUUID();
    disk.put(object, ByteBuffer.allocate(64 << 10));
    PacedStore paced = new PacedStore(disk, 1 << 20, () -> false);
    long start = System.nanoTime();
    for (int i = 0; i < 8; i++) {
      paced.range(object, 0, 64 << 10);
    }
    long took = System.nanoTime() - start;
    assertTrue(took >= Duration.ofMillis(500).toNanos(), took + " ns for half a MiB at 1 MiB/s");
    PacedStore hurried = new PacedStore(disk, 1, () -> true);
    hurried.range(object, 0, 64 << 10);
    assertEquals(64 << 10, hurried.bytes(), "the control: at 1 B/s this would take 18 hours");
  }

  /** Reading past a bad copy gives the right bytes, and has the copy mended soon. */
  @Test
  void aBadCopyThatIsMetWhenReadingIsMended() throws Exception {
    fill(5, 9_000);
    Place place = kept.keySet().iterator().next();
    String object = Segment.object(place.segment());
    byte[] good = Disks.bytes(world.disks.getFirst(), object);
    SegmentVault vault = world.vault();
    Await.until(() -> vault.upkeep().backlog("store-1") == 0);
    Disks.flip(world.disks.get(0), object, place.offset() + place.length() - 3, 2);
    // When it is late, the next store is asked too, and nobody meets the bad copy this time.
    Await.until(
        () -> {
          assertArrayEquals(kept.get(place), read(vault, place));
          return Arrays.equals(good, bytes(0, object));
        });
    Await.until(
        () ->
            world.events.stream()
                .anyMatch(
                    event -> event instanceof MailEvent.StoreDamage damage && damage.repaired()));
  }

  private static byte[] read(SegmentVault vault, Place place) {
    try {
      return vault.read(place).content();
    } catch (VaultUnavailableException e) {
      throw new AssertionError(e);
    }
  }

  private byte[] bytes(int store, String object) {
    return bytes(world.disks.get(store), object);
  }

  private static byte[] bytes(DirectoryStore disk, String object) {
    try {
      return Disks.bytes(disk, object);
    } catch (IOException e) {
      return new byte[0];
    }
  }

  /** A store that hangs costs a reader the hedge, not the whole wait. */
  @Test
  void readersDoNotWaitForAStoreThatHangs() throws Exception {
    fill(30, 9_000);
    SegmentVault vault = world.vault();
    for (Place place : kept.keySet()) {
      vault.read(place);
    }
    long healthy = time(vault);
    world.stores.get(0).mood(Mood.DEAF);
    long hanging = time(vault);
    world.stores.get(0).mood(Mood.GOOD);
    System.out.printf(
        "read: %d us healthy, %d us with a store that hangs%n", healthy / 1_000, hanging / 1_000);
    assertTrue(hanging < VaultWorld.READ_WAIT.toNanos() / 2, "a read took " + hanging + " ns");
  }

  // The mean time of a read.
  private long time(SegmentVault vault) throws VaultUnavailableException {
    long start = System.nanoTime();
    for (Map.Entry<Place, byte[]> each : kept.entrySet()) {
      assertArrayEquals(each.getValue(), vault.read(each.getKey()).content());
    }
    return (System.nanoTime() - start) / kept.size();
  }

  /** The node stops while a store is being brought up to date: the next start goes on. */
  @Test
  void catchingUpSurvivesARestart() throws Exception {
    // So many segments that the store needs seconds for them, at its pace.
    fill(250, 90_000);
    assertTrue(segments().size() > 100, "only " + segments().size());
    Map<String, byte[]> before = content().getFirst();
    for (String segment : segments()) {
      world.disks.get(1).delete(segment);
    }
    world.stores.get(1).mood(Mood.SLOW);
    SegmentVault first = world.vault();
    Await.until(() -> first.upkeep().repaired() > 1);
    assertTrue(first.upkeep().backlog("store-2") > 0);
    world.restart();
    assertTrue(Disks.content(world.disks.get(1)).size() < before.size(), "in the middle");
    world.stores.get(1).mood(Mood.GOOD);
    SegmentVault second = world.vault();
    Await.until(
        LIMIT, () -> second.upkeep().repaired() > 0 && second.upkeep().backlog("store-2") == 0);
    Await.until(
        LIMIT, () -> Disks.sizes(world.disks.get(1)).equals(Disks.sizes(world.disks.get(0))));
    assertAll(before);
  }

  /** A listing in parts visits the same objects in the same order as one of all. */
  @Test
  void aCensusInPartsIsACensus() throws Exception {
    fill(60, 9_000);
    List<ObjectStore> stores =
        world.stores.stream()
            .<ObjectStore>map(store -> TimedStore.around(store, VaultWorld.READ_WAIT))
            .toList();
    List<String> expected =
        content().getFirst().keySet().stream().filter(o -> o.startsWith("segments/")).toList();
    Map<Integer, List<String>> seen = new HashMap<>();
    for (int held : new int[] {Census.HELD, 3, 1}) {
      List<String> found = new ArrayList<>();
      new Census(held).walk("segments", stores, "", (object, lengths, listed) -> found.add(object));
      seen.put(held, found);
    }
    seen.forEach((held, found) -> assertEquals(expected, found, "held " + held));
    List<String> rest = new ArrayList<>();
    new Census(3)
        .walk("segments", stores, expected.get(4), (object, lengths, listed) -> rest.add(object));
    assertEquals(expected.subList(5, expected.size()), rest);
  }
}
