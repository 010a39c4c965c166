package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.id.MessageId;
import net.postern.ledger.Mortal.Moment;
import net.postern.vault.Compactor;
import net.postern.vault.Place;
import net.postern.vault.SegmentFacts;
import net.postern.vault.StoreChoice;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A process that dies at any step of compaction. After each death every message that something
 * keeps is whole in all three stores at the place where the ledger says it is; the next process
 * finishes the work, and nothing is left behind.
 */
class CompactionCrashTest {
  /** More steps than there are. */
  private static final int BOUND = 200;

  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource(Moment.class)
  void aDeathAtAnyStepLosesNothingAndLeavesNothing(Moment moment) throws Exception {
    try (RetentionWorld world = new RetentionWorld(temp, 1 << 20)) {
      Set<MessageId> kept = new HashSet<>();
      int steps = 0;
      while (true) {
        assertTrue(steps < BOUND, "compaction does not come to an end");
        mail(world, kept);
        Mortal process = new Mortal(steps, moment);
        boolean died = compact(world, process);
        String where = "killed %s step %d".formatted(moment, steps);
        assertEquals(died, process.isDead(), where);
        whole(world, kept, where);
        for (int i = 0; i < 3; i++) {
          world.compact();
          world.clock.advance(Duration.ofDays(11));
        }
        world.compact();
        finished(world, kept, where);
        if (!died) {
          // Two drops and a rewrite, each with its deletions.
          assertTrue(steps > 20, "only " + steps + " steps");
          return;
        }
        steps++;
      }
    }
  }

  // Three segments: one half dead, one all dead, one with only a little dead.
  private static void mail(RetentionWorld world, Set<MessageId> kept) throws Exception {
    for (int[] segment : new int[][] {{2, 2}, {0, 1}, {4, 1}}) {
      List<RetentionWorld.Sent> sent = new ArrayList<>();
      for (int i = 0; i < segment[0]; i++) {
        sent.add(world.send(1_000 + i, DeliveryState.HELD));
        kept.add(sent.getLast().id());
      }
      for (int i = 0; i < segment[1]; i++) {
        // Ended as soon as it came.
        sent.add(world.send(1_000 + i, DeliveryState.REMOVED));
      }
      for (RetentionWorld.Sent each : sent) {
        each.entered().get();
      }
      world.endSegment();
    }
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
  }

  // A pass and, when the grace is over, another; as one process.
  private static boolean compact(RetentionWorld world, Mortal process) throws Exception {
    List<ObjectStore> stores = world.stores.disks.stream().map(process::store).toList();
    Compactor compactor = world.compactor(StoreChoice.of(stores), process.book(world.retention));
    try {
      compactor.pass();
      world.clock.advance(RetentionWorld.GRACE);
      compactor.pass();
      return false;
    } catch (Mortal.Died e) {
      return true;
    }
  }

  // In each store, undamaged, where the ledger says.
  private static void whole(RetentionWorld world, Set<MessageId> kept, String where)
      throws Exception {
    List<MessageView> all = world.queries.search("user@example.com", BOUND * 10);
    for (int store = 0; store < 3; store++) {
      Map<MessageId, List<Place>> frames = world.stores.frames(store);
      int found = 0;
      for (MessageView each : all) {
        MessageId id = each.key().message();
        if (kept.contains(id)) {
          assertTrue(frames.getOrDefault(id, List.of()).contains(each.place()), where);
          assertTrue(each.goneSince().isEmpty(), where);
          found++;
        }
      }
      assertEquals(kept.size(), found, where);
    }
  }

  // What is dead has been so for longer than its bound.
  private static void finished(RetentionWorld world, Set<MessageId> kept, String where)
      throws Exception {
    for (int store = 0; store < 3; store++) {
      assertEquals(kept, world.stores.frames(store).keySet(), where);
      assertEquals(world.stores.segments(0), world.stores.segments(store), where);
    }
    whole(world, kept, where);
    for (UUID segment : world.stores.segments(0)) {
      assertEquals(SegmentFacts.Fate.KEPT, world.retention.fate(segment), where);
    }
    assertEquals(0, world.retention.totals().droppedBytes(), where);
    assertEquals(0, world.difference(), where);
  }
}
