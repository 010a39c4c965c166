package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import net.postern.blob.FaultyStore;
import net.postern.blob.FaultyStore.Mood;
import net.postern.id.MessageId;
import net.postern.testkit.Await;
import net.postern.vault.Compactor;
import net.postern.vault.StoreChoice;
import net.postern.vault.VaultUnavailableException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that run full get space back by what is dead on them, and take mail again. */
class FullStoresTest {
  /** More than compaction wants to have free beside the reserve. */
  private static final long PLENTY = 128 << 20;

  private static final int MESSAGE = 100_000;

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

  private List<MessageId> enter(int count, DeliveryState state) throws Exception {
    List<MessageId> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(world.enter(MESSAGE, state));
    }
    return ids;
  }

  // Lets a disk run full: so much is free on it now.
  private void free(int store, long bytes) throws IOException {
    FaultyStore disk = world.stores.stores.get(store);
    disk.capacity(PLENTY);
    disk.capacity(PLENTY - disk.usableBytes() + bytes);
  }

  private void awaitUp(int stores) {
    Await.until(() -> world.stores.vault().storesUp() == stores);
  }

  @Test
  void whenAllAreFullWhatIsDeadGivesSpaceAndMailIsTakenAgain() throws Exception {
    List<MessageId> dead = enter(8, DeliveryState.WAITING);
    dead.forEach(world::finish);
    UUID segment = world.endSegment();
    List<MessageId> kept = enter(2, DeliveryState.HELD);
    world.endSegment();
    long reserve = world.stores.config().reserve().bytes();
    for (int store = 0; store < 3; store++) {
      free(store, reserve - MESSAGE);
    }
    awaitUp(0);
    assertThrows(VaultUnavailableException.class, () -> enter(1, DeliveryState.WAITING));
    Compactor compactor = world.nodeCompactor();
    assertEquals(0, compactor.pass().dropped(), "the control: nothing is dead yet");
    assertEquals(0, world.stores.vault().storesUp());
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(1, compactor.pass().dropped());
    world.clock.advance(RetentionWorld.GRACE);
    assertEquals(1, compactor.pass().deleted());
    for (int store = 0; store < 3; store++) {
      assertFalse(world.stores.segments(store).contains(segment));
    }
    awaitUp(3);
    assertEquals(3, world.copies(enter(1, DeliveryState.WAITING).getFirst()));
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
  }

  /** One disk is full when a segment is rewritten: it gets the new one, to delete the old one. */
  @Test
  void aFullStoreGetsTheSmallerSegmentAndDeletesTheLarger() throws Exception {
    enter(7, DeliveryState.WAITING).forEach(world::finish);
    List<MessageId> kept = enter(2, DeliveryState.HELD);
    UUID old = world.endSegment();
    long reserve = world.stores.config().reserve().bytes();
    free(2, reserve - MESSAGE);
    awaitUp(2);
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    Compactor compactor = world.nodeCompactor();
    assertEquals(1, compactor.pass().rewritten());
    assertTrue(world.stores.segments(2).contains(old));
    for (MessageId id : kept) {
      assertEquals(2, world.copies(id), "it is full");
    }
    world.clock.advance(RetentionWorld.GRACE);
    compactor.pass();
    assertFalse(world.stores.segments(2).contains(old));
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
    awaitUp(3);
  }

  /** What does not fit is not put into a full store, and what it has stays. */
  @Test
  void aFullStoreIsNotFilledToTheBrim() throws Exception {
    enter(7, DeliveryState.WAITING).forEach(world::finish);
    List<MessageId> kept = enter(2, DeliveryState.HELD);
    UUID old = world.endSegment();
    free(2, MESSAGE);
    awaitUp(2);
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    Compactor compactor = world.nodeCompactor();
    assertEquals(1, compactor.pass().rewritten());
    world.clock.advance(RetentionWorld.GRACE);
    compactor.pass();
    assertTrue(world.stores.segments(2).contains(old), "it is all that this store has");
    assertFalse(world.stores.segments(2).contains(world.place(kept.getFirst()).segment()));
    assertFalse(world.stores.segments(0).contains(old), "the control");
  }

  /** To make room needs room: a rewrite must not be what fills a disk. */
  @Test
  void nothingIsRewrittenWithoutRoomForIt() throws Exception {
    enter(4, DeliveryState.WAITING).forEach(world::finish);
    List<MessageId> kept = enter(4, DeliveryState.HELD);
    UUID old = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    free(1, 32 << 20);
    assertEquals(0, world.compact().rewritten());
    assertEquals(old, world.place(kept.getFirst()).segment());
    world.stores.stores.get(1).capacity(PLENTY);
    assertEquals(1, world.compact().rewritten(), "the control");
  }

  /** What one store does not delete is asked of it again; the others are done. */
  @Test
  void aStoreThatFailsDoesNotHoldUpTheDeletionsOfOthers() throws Exception {
    enter(2, DeliveryState.WAITING).forEach(world::finish);
    UUID segment = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    world.stores.stores.get(2).mood(Mood.FAILING);
    Compactor compactor = world.compactor(StoreChoice.of(world.stores.stores), world.retention);
    compactor.pass();
    world.clock.advance(RetentionWorld.GRACE);
    assertEquals(0, compactor.pass().deleted());
    assertFalse(world.stores.segments(0).contains(segment));
    world.stores.stores.get(2).mood(Mood.GOOD);
    world.clock.advance(RetentionWorld.GRACE);
    assertEquals(1, compactor.pass().deleted());
    assertFalse(world.stores.segments(2).contains(segment));
  }
}
