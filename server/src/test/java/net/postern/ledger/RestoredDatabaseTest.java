package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import net.postern.blob.FaultyStore.Mood;
import net.postern.id.MessageId;
import net.postern.intake.Reconciler;
import net.postern.vault.Compactor;
import net.postern.vault.Place;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The database is put back from a backup, and compaction has moved mail since: what the ledger says
 * of places is wrong, and still nothing that is kept may go.
 */
class RestoredDatabaseTest {
  private static final List<String> TABLES = List.of("message", "delivery", "segment");

  @TempDir Path temp;
  private RetentionWorld world;

  @BeforeEach
  void open() throws IOException {
    world = new RetentionWorld(temp, 1 << 20);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void backUp() {
    for (String table : TABLES) {
      world.sql("create table backup_%1$s as table %1$s".formatted(table));
    }
  }

  private void restore() {
    for (String table : TABLES) {
      world.sql("delete from " + table);
      world.sql("insert into %1$s select * from backup_%1$s".formatted(table));
    }
    world.stores.restart();
  }

  private List<MessageId> enter(int count, DeliveryState state) throws Exception {
    List<MessageId> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(world.enter(1_000, state));
    }
    return ids;
  }

  /** Held messages beside as many that are dead: their segment is worth rewriting. */
  private List<MessageId> halfDead() throws Exception {
    List<MessageId> held = enter(4, DeliveryState.HELD);
    List<MessageId> dead = enter(4, DeliveryState.WAITING);
    dead.forEach(world::finish);
    world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    return held;
  }

  private Reconciler.Report reconcile() throws Exception {
    return new Reconciler(
            world.stores.vault(), world.ledger, world.segments, new LedgerRebuild(world.database))
        .run();
  }

  private void compactForLong() throws Exception {
    for (int i = 0; i < 4; i++) {
      world.compact();
    }
  }

  private void assertAllThere(List<MessageId> ids) throws Exception {
    for (MessageId id : ids) {
      assertEquals(3, world.copies(id), "at " + world.place(id));
      assertEquals(1_000, world.read(id).length);
    }
    assertEquals(0, world.difference());
  }

  @Test
  void whatCompactionMovedSinceIsFoundWhereItIs() throws Exception {
    List<MessageId> held = halfDead();
    Place before = world.place(held.getFirst());
    backUp();
    world.compact();
    Place after = world.place(held.getFirst());
    assertNotEquals(before.segment(), after.segment());
    restore();
    assertEquals(0, world.copies(held.getFirst()), "the ledger points to what is gone");

    Reconciler.Report report = reconcile();
    assertEquals(4, report.relocated());
    assertEquals(0, report.unfinished());
    assertEquals(after, world.place(held.getFirst()));
    compactForLong();
    assertAllThere(held);
    assertEquals(0, reconcile().relocated(), "once is enough");
  }

  /** The backup was made while the new segment was written: there is a row, and it is dropped. */
  @Test
  void aSegmentThatWasBeingMadeIsWalkedThoughItIsDropped() throws Exception {
    List<MessageId> held = halfDead();
    backUp();
    world.compact();
    UUID made = world.place(held.getFirst()).segment();
    restore();
    world.retention.begin(made, 5_000, world.clock.instant());
    world.clock.advance(RetentionWorld.GRACE);
    // Even when deletion was decided.
    world.sql("update segment set deleting_at = ? where id = ?", now(), made);

    assertEquals(4, reconcile().relocated());
    compactForLong();
    assertAllThere(held);
  }

  /** Whoever notes a segment without looking for places: compaction asks for itself. */
  @Test
  void nothingIsDeletedWhileMailIsMissing() throws Exception {
    List<MessageId> held = halfDead();
    backUp();
    world.compact();
    UUID made = world.place(held.getFirst()).segment();
    restore();
    world.segments.markRecorded(made);
    List<MessageId> dead = enter(1, DeliveryState.REMOVED);
    UUID other = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    compactForLong();
    assertTrue(world.isGone(dead.getFirst()), "dropped");
    for (int store = 0; store < 3; store++) {
      assertTrue(world.stores.segments(store).containsAll(Set.of(made, other)), "and not deleted");
    }
    assertEquals(4, reconcile().relocated());
    compactForLong();
    assertAllThere(held);
    assertFalse(world.stores.segments(0).contains(other), "the control: now it is");
  }

  /** What ended after the backup is nowhere: that is noted, and space is given back again. */
  @Test
  void whatIsNowhereHoldsDeletionUpOnlyUntilAllWasSearched() throws Exception {
    List<MessageId> held = enter(2, DeliveryState.HELD);
    UUID lost = world.endSegment();
    backUp();
    world.sql("update delivery set state = 5, due_at = due_at - interval '15 days'");
    world.compact();
    assertFalse(world.isInAnyStore(held.getFirst()));
    restore();
    MessageId dead = world.enter(1_000, DeliveryState.REMOVED);
    UUID other = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    world.stores.vault();
    world.stores.stores.get(2).mood(Mood.FAILING);
    Reconciler.Report two = reconcile();
    assertTrue(two.complete());
    assertTrue(world.segments.inUse().contains(lost), "one store was not asked");
    compactForLong();
    assertTrue(world.isGone(dead));
    world.stores.stores.get(2).mood(Mood.GOOD);
    compactForLong();
    assertTrue(world.stores.segments(0).contains(other));

    reconcile();
    assertFalse(world.segments.inUse().contains(lost));
    compactForLong();
    assertFalse(world.stores.segments(0).contains(other));
    assertEquals(0, world.difference());
  }

  /** A store that is away may have what the others lack: nothing is decided without it. */
  @Test
  void aPlaceInAStoreThatIsAwayIsNotLost() throws Exception {
    List<MessageId> held = halfDead();
    backUp();
    world.compact();
    UUID made = world.place(held.getFirst()).segment();
    restore();
    world.stores.vault();
    world.stores.stores.get(1).mood(Mood.FAILING);
    world.stores.stores.get(2).mood(Mood.FAILING);
    Reconciler.Report report = reconcile();
    assertFalse(report.complete());
    assertEquals(0, report.relocated());
    assertFalse(world.segments.recorded().contains(made));
    world.stores.stores.get(1).mood(Mood.GOOD);
    world.stores.stores.get(2).mood(Mood.GOOD);
    assertEquals(4, reconcile().relocated(), "the control");
  }

  /**
   * Backups and restores at any moment of a life of mail and compactions: what was held when the
   * backup was made is there, whatever became of its segment since.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 4})
  void whateverTheMomentOfTheBackupNothingIsLost(long seed) throws Exception {
    Random random = new Random(seed);
    List<MessageId> held = new ArrayList<>();
    List<MessageId> atBackup = new ArrayList<>();
    backUp();
    int relocated = 0;
    for (int round = 0; round < 10; round++) {
      held.addAll(enter(1 + random.nextInt(4), DeliveryState.HELD));
      enter(1 + random.nextInt(4), DeliveryState.WAITING).forEach(world::finish);
      world.endSegment();
      world.clock.advance(RetentionWorld.KEEP_FINISHED.dividedBy(1 + random.nextInt(2)));
      boolean restores = random.nextInt(3) == 0;
      for (int step = random.nextInt(4); step >= 0; step--) {
        if (random.nextInt(3) == 0) {
          TABLES.forEach(table -> world.sql("drop table backup_" + table));
          backUp();
          atBackup = List.copyOf(held);
        }
        world.compactor().pass();
        world.clock.advance(RetentionWorld.GRACE.dividedBy(1 + random.nextInt(2)));
      }
      if (restores) {
        restore();
        held = new ArrayList<>(atBackup);
        relocated += reconcile().relocated();
      }
      assertAllThere(held);
    }
    // And once such that there is something to move, whatever the seed.
    held.addAll(halfDead());
    TABLES.forEach(table -> world.sql("drop table backup_" + table));
    backUp();
    world.compact();
    restore();
    relocated += reconcile().relocated();
    compactForLong();
    assertAllThere(held);
    assertTrue(relocated > 0, "no restore met a segment that was gone");
  }

  private Timestamp now() {
    return Timestamp.from(world.clock.instant());
  }

  /** The control of all these: with the database as it is nothing is looked for. */
  @Test
  void withoutARestoreNothingIsWalkedAgain() throws Exception {
    List<MessageId> held = halfDead();
    Compactor compactor = world.compactor();
    assertEquals(1, compactor.pass().made());
    assertEquals(0, reconcile().segments());
    compactForLong();
    assertEquals(0, reconcile().segments());
    assertAllThere(held);
  }
}
