package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore.Mood;
import net.postern.testkit.Await;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every store in turn with every fault, in the middle of a load of at least 10,000 messages. In
 * every row: nothing is acknowledged with fewer than {@code vault.minimum} copies; what was
 * acknowledged decrypts, byte for byte, from every store that was well; and when the fault ends,
 * the vault by itself brings all stores to the same content.
 */
class FaultMatrixTest {
  private static final int MESSAGES = 10_000;
  private static final int SENDERS = 48;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path temp;

  /** What was acknowledged: where, and the digest of what was handed over. */
  private final Map<Place, byte[]> kept = new ConcurrentHashMap<>();

  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicReference<Throwable> wrong = new AtomicReference<>();

  static Stream<Arguments> rows() {
    List<Arguments> rows = new ArrayList<>();
    for (int store = 0; store < 3; store++) {
      rows.add(Arguments.of("killed", Mood.GOOD, store));
      rows.add(Arguments.of("hung", Mood.DEAF, store));
      rows.add(Arguments.of("slow", Mood.SLOW, store));
      rows.add(Arguments.of("full", Mood.FULL, store));
      rows.add(Arguments.of("read-only", Mood.READ_ONLY, store));
      rows.add(Arguments.of("errors", Mood.FLAKY, store));
      rows.add(Arguments.of("corrupt reads", Mood.CORRUPT_READS, store));
      rows.add(Arguments.of("corrupt writes", Mood.CORRUPT_WRITES, store));
      rows.add(Arguments.of("clock wrong", Mood.CLOCK_WRONG, store));
    }
    return rows.stream();
  }

  @ParameterizedTest(name = "{0} {2}")
  @MethodSource("rows")
  void oneStore(String fault, Mood mood, int store) throws Exception {
    try (VaultWorld world = new VaultWorld(temp)) {
      world.bound();
      load(world, MESSAGES / 4);
      if (mood == Mood.DEAF) {
        // It is to be given up, and from then on the well ones are both needed and waited for.
        world.storeWait(VaultWorld.SHORT);
        world.restart();
        world.awaitUp(3);
      }
      if (fault.equals("killed")) {
        Files.move(world.disks.get(store).root(), temp.resolve("away"));
      } else {
        world.stores.get(store).mood(mood);
      }
      load(world, MESSAGES / 2);
      List<Integer> well = new ArrayList<>(List.of(0, 1, 2));
      well.remove(Integer.valueOf(store));
      assertReadable(world, well);
      assertServed(world);
      if (fault.equals("killed")) {
        Files.move(temp.resolve("away"), world.disks.get(store).root());
      } else {
        world.stores.get(store).mood(Mood.GOOD);
      }
      world.awaitUp(3);
      load(world, MESSAGES - kept.size());
      assertEquals(0, refused.get(), "two stores are enough, nothing is refused");
      finish(world, "%s, store %d".formatted(fault, store + 1));
    }
  }

  /** Two gone: nothing is acknowledged, nothing that was is lost. */
  @ParameterizedTest
  @MethodSource("pairs")
  void twoStores(int one, int two) throws Exception {
    try (VaultWorld world = new VaultWorld(temp)) {
      world.bound();
      load(world, MESSAGES / 2);
      Files.move(world.disks.get(one).root(), temp.resolve("away-1"));
      Files.move(world.disks.get(two).root(), temp.resolve("away-2"));
      // Whoever notices first: nothing counts from the moment on when two are known to be gone.
      tryToLoad(world, 500);
      Await.until(() -> world.vault().storesUp() == 1);
      int before = kept.size();
      refused.set(0);
      tryToLoad(world, 500);
      assertEquals(before, kept.size(), "nothing is acknowledged");
      assertEquals(500, refused.get());
      assertReadable(world, List.of(3 - one - two));
      assertServed(world);
      Files.move(temp.resolve("away-1"), world.disks.get(one).root());
      Files.move(temp.resolve("away-2"), world.disks.get(two).root());
      world.awaitUp(3);
      load(world, MESSAGES - kept.size());
      finish(world, "stores %d and %d gone".formatted(one + 1, two + 1));
    }
  }

  static Stream<Arguments> pairs() {
    return Stream.of(Arguments.of(0, 1), Arguments.of(0, 2), Arguments.of(1, 2));
  }

  /** The process dies at its first write, at its second, and so on. */
  @Test
  void killedAtEveryWrite() throws Exception {
    try (VaultWorld world = new VaultWorld(temp, 1 << 16)) {
      int lives = 0;
      for (int writes = 1; kept.size() < MESSAGES; writes++) {
        MortalStore.Life life = new MortalStore.Life(writes);
        List<MortalStore> mortal = world.disks.stream().map(d -> new MortalStore(d, life)).toList();
        SegmentVault vault = world.vaultOver(mortal);
        senders(vault, world, 60 + writes, true);
        vault.close();
        lives++;
      }
      world.restart();
      SegmentVault after = world.vault();
      for (java.util.UUID segment : after.segments().names()) {
        after.upkeep().mend(segment);
      }
      System.out.printf("killed at every write: %d lives%n", lives);
      finish(world, "process killed");
    }
  }

  private void load(VaultWorld world, int messages) throws Exception {
    senders(world.vault(), world, messages, false);
    if (wrong.get() != null) {
      throw new AssertionError("a message was refused or lost", wrong.get());
    }
  }

  private void tryToLoad(VaultWorld world, int messages) throws Exception {
    senders(world.vault(), world, messages, true);
    if (wrong.get() != null) {
      throw new AssertionError("something else than a refusal", wrong.get());
    }
  }

  private void senders(SegmentVault vault, VaultWorld world, int messages, boolean mayRefuse)
      throws InterruptedException {
    AtomicInteger left = new AtomicInteger(messages);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < SENDERS; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (left.getAndDecrement() > 0) {
                      send(vault, world, mayRefuse);
                    }
                  }));
    }
    for (Thread thread : threads) {
      assertTrue(thread.join(LIMIT), "a sender hangs");
    }
  }

  private void send(SegmentVault vault, VaultWorld world, boolean mayRefuse) {
    byte[] content = new byte[ThreadLocalRandom.current().nextInt(200, 2_000)];
    ThreadLocalRandom.current().nextBytes(content);
    try {
      Kept receipt = vault.keep(world.frame(content));
      if (receipt.copies() < world.config().minimum()) {
        wrong.compareAndSet(null, new AssertionError("acknowledged with " + receipt));
      }
      kept.put(receipt.place(), digest(content));
    } catch (VaultUnavailableException e) {
      refused.incrementAndGet();
      if (!mayRefuse) {
        wrong.compareAndSet(null, e);
      }
    } catch (InterruptedException | RuntimeException e) {
      wrong.compareAndSet(null, e);
    }
  }

  /** Each of these stores, alone with the master key, has every message that was acknowledged. */
  private void assertReadable(VaultWorld world, List<Integer> stores) throws Exception {
    for (int store : stores) {
      MessageReader alone = world.alone(store);
      for (Map.Entry<Place, byte[]> each : kept.entrySet()) {
        assertArrayEquals(
            each.getValue(), digest(alone.read(each.getKey()).content()), "store " + (store + 1));
      }
    }
  }

  /** The vault gives the right bytes, whatever its stores do. */
  private void assertServed(VaultWorld world) throws Exception {
    List<Place> places = new ArrayList<>(kept.keySet());
    Random random = new Random(1);
    for (int i = 0; i < 300; i++) {
      Place place = places.get(random.nextInt(places.size()));
      assertArrayEquals(kept.get(place), digest(world.vault().read(place).content()));
    }
  }

  /** Scrubs as time passes, until all stores are the same; then everything is in each of them. */
  private void finish(VaultWorld world, String row) throws Exception {
    assertTrue(kept.size() >= MESSAGES, "only " + kept.size());
    // The segment that is open is left alone: a restart ends it.
    world.restart();
    ManualClock clock = new ManualClock(Instant.now());
    long begun = System.nanoTime();
    int findings;
    try (Scrubber scrubber =
        new Scrubber(
            world.config(), world.vault(), temp.resolve("scrub"), world.events::add, clock)) {
      Await.until(
          LIMIT,
          () -> {
            clock.advance(Duration.ofDays(8));
            return same(world.disks);
          });
      findings = scrubber.state().unrepaired().size();
    }
    assertEquals(0, findings);
    assertReadable(world, List.of(0, 1, 2));
    System.out.printf(
        "%-28s %6d acknowledged, %4d refused, all in each store; same content %d ms after%n",
        row, kept.size(), refused.get(), (System.nanoTime() - begun) / 1_000_000);
  }

  private static boolean same(List<DirectoryStore> disks) {
    try {
      Map<String, Long> sizes = Disks.sizes(disks.get(0));
      if (sizes.isEmpty()
          || !sizes.equals(Disks.sizes(disks.get(1)))
          || !sizes.equals(Disks.sizes(disks.get(2)))) {
        return false;
      }
      Map<String, byte[]> first = Disks.content(disks.get(0));
      for (DirectoryStore disk : disks.subList(1, 3)) {
        Map<String, byte[]> other = Disks.content(disk);
        Set<String> names = first.keySet();
        if (!names.equals(other.keySet())
            || !names.stream()
                .allMatch(name -> java.util.Arrays.equals(first.get(name), other.get(name)))) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static byte[] digest(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
