package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.blob.FaultyStore.Mood;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The health of the stores, and catching up, while the database takes its time. */
class UpkeepTest {
  @TempDir Path temp;

  // Segments that the third store lacks.
  private static void lack(VaultWorld world, int segments) throws Exception {
    world.stores.get(2).mood(Mood.FAILING);
    for (int i = 0; i < segments; i++) {
      world.vault().keep(world.frame(new byte[1_000]));
      world.restart();
    }
    world.stores.get(2).mood(Mood.GOOD);
  }

  /** Guarantee 6 of docs/vault.md: a look every second, whatever else goes on. */
  @Test
  void healthIsLookedAtWhileCatchingUpWaitsForTheDatabase() throws Exception {
    try (VaultWorld world = new VaultWorld(temp)) {
      lack(world, 1);
      CountDownLatch asked = new CountDownLatch(1);
      CountDownLatch answer = new CountDownLatch(1);
      world.facts =
          segment -> {
            asked.countDown();
            try {
              if (!answer.await(60, TimeUnit.SECONDS)) {
                throw new IOException("nobody answered");
              }
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            return SegmentFacts.Fate.KEPT;
          };
      world.vault();
      assertTrue(asked.await(20, TimeUnit.SECONDS), "the control: catching up waits");
      world.awaitUp(3);
      world.stores.get(0).mood(Mood.FULL);
      world.awaitUp(2);
      world.stores.get(0).mood(Mood.GOOD);
      world.awaitUp(3);
      assertEquals(1, answer.getCount(), "and it still does");
      answer.countDown();
      Await.until(() -> Disks.sizes(world.disks.get(2)).equals(Disks.sizes(world.disks.get(0))));
    }
  }

  /** The database is away: one question is enough, and what needs none is copied. */
  @Test
  void aRoundEndsAtTheFirstQuestionThatNobodyAnswers() throws Exception {
    try (VaultWorld world = new VaultWorld(temp)) {
      lack(world, 6);
      world.disks.get(1).delete("keys/" + world.mailbox);
      AtomicBoolean away = new AtomicBoolean(true);
      AtomicInteger questions = new AtomicInteger();
      StoreChoice choice = StoreChoice.of(world.disks);
      SegmentFacts facts =
          segment -> {
            questions.incrementAndGet();
            if (away.get()) {
              throw new IOException("the database is away, as ordered");
            }
            return SegmentFacts.Fate.KEPT;
          };
      Mender mender = new Mender(3, 2, facts, ParcelCheck.NO_KEYS);
      CatchUp catchUp = new CatchUp(mender, facts, () -> false);
      CatchUp.Round round = catchUp.run(choice.all());
      assertTrue(round.cutOff());
      assertEquals(2, questions.get(), "once when it counts, once when it copies");
      assertEquals(1, round.copies(), "the key");
      away.set(false);
      assertEquals(new CatchUp.Round(6, false), catchUp.run(choice.all()));
      assertEquals(Disks.sizes(world.disks.get(0)), Disks.sizes(world.disks.get(2)));
    }
  }

  /** So it is with segments that a reader met a bad copy of. */
  @Test
  void whatMayBeDamagedWaitsForTheDatabase() throws Exception {
    try (VaultWorld world = new VaultWorld(temp)) {
      world.vault().keep(world.frame(new byte[1_000]));
      UUID segment = world.vault().openSegment().orElseThrow();
      world.restart();
      AtomicBoolean away = new AtomicBoolean(true);
      world.facts =
          name -> {
            if (away.get()) {
              throw new IOException("the database is away, as ordered");
            }
            return SegmentFacts.Fate.KEPT;
          };
      byte[] good = world.bytes(1, segment);
      world.damage(1, segment, 100);
      world.vault().upkeep().mendSoon(segment);
      world.stores.get(0).mood(Mood.FULL);
      world.awaitUp(2);
      world.stores.get(0).mood(Mood.GOOD);
      world.awaitUp(3);
      assertTrue(world.bytes(1, segment)[100] != good[100], "the control: nobody touched it");
      away.set(false);
      Await.until(
          () -> {
            try {
              return world.bytes(1, segment)[100] == good[100];
            } catch (IOException e) {
              return false;
            }
          });
    }
  }
}
