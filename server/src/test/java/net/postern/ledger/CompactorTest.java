package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.blob.FaultyStore.Mood;
import net.postern.id.MessageId;
import net.postern.quarantine.Quarantine;
import net.postern.testkit.Await;
import net.postern.vault.Compactor;
import net.postern.vault.Place;
import net.postern.vault.SegmentBook;
import net.postern.vault.StoreChoice;
import net.postern.vault.VaultUnavailableException;
import net.postern.vault.VaultWorld;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What compaction does, and what it never does. */
class CompactorTest {
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

  /** Messages that end now, and are kept for two weeks more. */
  private List<MessageId> finished(int count) throws Exception {
    List<MessageId> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MessageId id = world.enter(1_000, DeliveryState.WAITING);
      world.finish(id);
      ids.add(id);
    }
    return ids;
  }

  private List<MessageId> held(int count) throws Exception {
    List<MessageId> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(world.enter(1_000, DeliveryState.HELD));
    }
    return ids;
  }

  private boolean isInStore(int store, UUID segment) throws IOException {
    return world.stores.segments(store).contains(segment);
  }

  @Test
  void aSegmentThatNothingKeepsIsDroppedAndDeletedAfterTheGrace() throws Exception {
    MessageId id = finished(1).getFirst();
    UUID segment = world.endSegment();
    assertEquals(0, world.compactor().pass().dropped(), "still kept");
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    Compactor compactor = world.compactor();
    Compactor.Report report = compactor.pass();
    assertEquals(1, report.dropped());
    assertEquals(0, report.deleted());
    assertTrue(report.waiting() > 1_000);
    assertTrue(world.isGone(id));
    assertEquals(3, world.copies(id), "whoever reads it now may finish");
    assertEquals(Set.of(), world.retention.gone(Set.of(id)), "its frame is still there");
    world.clock.advance(RetentionWorld.GRACE.minusSeconds(1));
    assertEquals(0, compactor.pass().deleted());
    world.clock.advance(Duration.ofSeconds(1));
    assertEquals(1, compactor.pass().deleted());
    for (int store = 0; store < 3; store++) {
      assertFalse(isInStore(store, segment));
    }
    assertEquals(Set.of(id), world.retention.gone(Set.of(id, MessageId.create())));
    assertEquals(1, compactor.stats().droppedSegments());
    assertEquals(0, compactor.stats().droppedBytes());
    MessageView story = world.queries.find(id).getFirst();
    assertEquals(DeliveryState.DELIVERED, story.state());
    assertEquals(0, world.difference());
    Quarantine quarantine = new Quarantine(world.queries, world.stores.vault(), event -> {});
    VaultUnavailableException gone =
        assertThrows(VaultUnavailableException.class, () -> quarantine.read(story));
    assertTrue(gone.toString().contains("no longer kept"), gone::toString);
  }

  @Test
  void aSegmentThatIsHalfDeadIsRewritten() throws Exception {
    List<MessageId> dead = finished(4);
    List<MessageId> kept = held(4);
    UUID old = world.endSegment();
    world.compactor().pass();
    assertTrue(isInStore(0, old), "the control: nothing is dead yet");
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    Compactor.Report report = world.compact();
    assertEquals(1, report.rewritten());
    assertEquals(1, report.made());
    for (MessageId id : kept) {
      assertNotEquals(old, world.place(id).segment());
      assertEquals(3, world.copies(id));
      assertEquals(1_000, world.read(id).length);
    }
    for (MessageId id : dead) {
      assertTrue(world.isGone(id));
      assertFalse(world.isInAnyStore(id));
    }
    SegmentBook.Totals totals = world.retention.totals();
    assertEquals(1, totals.segments());
    assertEquals(totals.bytes() - 40, totals.liveBytes(), "nothing in it is dead");
    assertEquals(0, world.difference());
  }

  /** A little that is dead does not pay, but it goes within its bound. */
  @Test
  void aLittleThatIsDeadIsGoneWithinItsBound() throws Exception {
    MessageId dead = finished(1).getFirst();
    List<MessageId> kept = held(9);
    UUID old = world.endSegment();
    world.compactor().pass();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    world.compact();
    assertTrue(isInStore(0, old), "not at once");
    // The node makes passes all the time; here, one each day.
    for (int day = 0; day < 28; day++) {
      world.clock.advance(Duration.ofDays(1));
      world.compactor().pass();
    }
    assertFalse(world.isInAnyStore(dead), "30 days are the bound");
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
  }

  /** What will soon be dead as a whole is not copied first. */
  @Test
  void aSegmentThatIsDyingIsLeftToDie() throws Exception {
    finished(3);
    world.clock.advance(Duration.ofHours(20));
    finished(3);
    UUID segment = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED.minusHours(20));
    Compactor.Report half = world.compact();
    assertEquals(0, half.rewritten());
    assertEquals(0, half.dropped());
    world.clock.advance(Duration.ofHours(19));
    assertEquals(1, world.compact().dropped());
    assertFalse(isInStore(1, segment));
  }

  @Test
  void whatTheLedgerMayNotKnowIsLeftAlone() throws Exception {
    finished(1);
    // Ended, and not noted as entered.
    world.stores.restart();
    List<MessageId> open = finished(1);
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    Compactor.Report report = world.compact();
    assertEquals(0, report.looked());
    assertEquals(2, world.stores.segments(0).size());
    assertEquals(3, world.copies(open.getFirst()));
    world.endSegment();
    assertEquals(1, world.compact().dropped(), "the control");
  }

  /** Many small segments become one. */
  @Test
  void smallSegmentsAreMergedWhenThereAreMany() throws Exception {
    List<MessageId> kept = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      kept.addAll(held(1));
      world.endSegment();
    }
    Compactor.Report report = world.compact();
    assertEquals(9, report.rewritten(), "no more than a quarter at once");
    assertEquals(1, report.made());
    assertEquals(32, world.stores.segments(0).size());
    assertEquals(0, world.compact().rewritten(), "few enough");
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
  }

  /** A store that is away gets its deletions when it is back, and nothing comes to life again. */
  @Test
  void aStoreThatWasAwayCatchesUp() throws Exception {
    List<MessageId> dead = finished(4);
    List<MessageId> kept = held(4);
    UUID rewritten = world.endSegment();
    finished(2);
    UUID dropped = world.endSegment();
    world.stores.stores.get(2).mood(Mood.FAILING);
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(1, world.compact().dropped());
    // In the pass after the grace of the other: so little is kept.
    assertNotEquals(rewritten, world.place(kept.getFirst()).segment());
    world.compact();
    for (UUID segment : List.of(rewritten, dropped)) {
      assertFalse(isInStore(0, segment));
      assertTrue(isInStore(2, segment));
    }
    for (MessageId id : kept) {
      assertEquals(2, world.copies(id));
    }
    // Another process: what is to be deleted is remembered in the database.
    world.stores.restart();
    world.stores.stores.get(2).mood(Mood.GOOD);
    world.clock.advance(Duration.ofHours(6));
    world.compactor().pass();
    assertFalse(isInStore(2, dropped));
    assertTrue(isInStore(2, rewritten), "it is all that this store has of what is kept");
    world.stores.vault().upkeep().equalize();
    assertFalse(isInStore(0, rewritten), "and is not brought back");
    world.clock.advance(Duration.ofHours(6));
    assertEquals(1, world.compactor().pass().deleted());
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
    for (MessageId id : dead) {
      assertFalse(world.isInAnyStore(id));
    }
  }

  /** A disk that was in a drawer for a year. */
  @Test
  void aCopyThatTurnsUpAgainIsDeleted() throws Exception {
    finished(2);
    UUID segment = world.endSegment();
    byte[] bytes = world.stores.bytes(1, segment);
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    world.compact();
    List<MessageId> other = held(1);
    world.endSegment();
    world.stores.disks.get(1).put("segments/" + segment, ByteBuffer.wrap(bytes));
    world.stores.vault().upkeep().equalize();
    assertFalse(isInStore(0, segment), "not copied");
    world.compactor().pass();
    assertFalse(isInStore(1, segment));
    assertEquals(3, world.copies(other.getFirst()), "the control");
  }

  @Test
  void withTooFewStoresNothingIsDropped() throws Exception {
    List<MessageId> kept = new ArrayList<>(finished(4));
    kept.addAll(held(4));
    UUID segment = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    world.stores.stores.get(0).mood(Mood.READ_ONLY);
    world.stores.stores.get(1).mood(Mood.SHORT_WRITES);
    IOException few = assertThrows(IOException.class, () -> world.compactor().pass());
    assertTrue(few.toString().contains("only 1 of 3"), few::toString);
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
      assertFalse(world.isGone(id));
    }
    world.stores.stores.get(1).mood(Mood.GOOD);
    world.clock.advance(RetentionWorld.GRACE);
    assertEquals(1, world.compact().rewritten(), "two are enough");
    assertFalse(isInStore(1, segment));
    assertTrue(isInStore(0, segment), "it has no other copy");
  }

  /** A frame that is whole in one store only is copied from there. */
  @Test
  void damagedCopiesDoNoHarm() throws Exception {
    List<MessageId> kept = held(3);
    finished(6);
    UUID segment = world.endSegment();
    for (int i = 0; i < 3; i++) {
      Place place = world.place(kept.get(i));
      world.stores.damage(i, segment, place.offset() + 70);
      world.stores.damage((i + 1) % 3, segment, place.offset() + 90);
    }
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(1, world.compact().rewritten());
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
  }

  // Other bytes in one store's copy of a message, with a digest that fits them.
  private void forge(int store, MessageId id) throws Exception {
    Place place = world.place(id);
    byte[] bytes = world.stores.bytes(store, place.segment());
    int at = (int) place.offset();
    bytes[at + place.length() - 100] ^= 1;
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    sha.update(bytes, at, place.length() - 32);
    sha.digest(bytes, at + place.length() - 32, 32);
    world.stores.disks.get(store).put("segments/" + place.segment(), ByteBuffer.wrap(bytes));
  }

  /** Who can write to one store only cannot have compaction spread a forged message. */
  @Test
  void aForgedCopyIsNotSpread() throws Exception {
    List<MessageId> kept = held(3);
    finished(6);
    world.endSegment();
    // In each store, so that one is the first that is read.
    for (int i = 0; i < 3; i++) {
      forge(i, kept.get(i));
      assertEquals(2, world.copies(kept.get(i)), "the control: it is forged in one store");
    }
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(1, world.compact().rewritten());
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
  }

  /** When the forged copy is all there is to be had now, the genuine ones are waited for. */
  @Test
  void aForgedCopyAloneKeepsEverythingWhereItIs() throws Exception {
    List<MessageId> kept = held(3);
    finished(6);
    UUID segment = world.endSegment();
    forge(0, kept.getFirst());
    for (int store = 1; store < 3; store++) {
      world.stores.damage(store, segment, world.place(kept.getFirst()).offset() + 70);
    }
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(0, world.compact().rewritten());
    for (int store = 0; store < 3; store++) {
      assertTrue(isInStore(store, segment));
    }
    assertEquals(segment, world.place(kept.getLast()).segment());
  }

  /** What a hold keeps of an erased mailbox opens with no key: copies that agree are taken. */
  @Test
  void whatNoKeyOpensIsCopiedWhenTheStoresAgree() throws Exception {
    List<MessageId> kept = held(3);
    finished(6);
    UUID segment = world.endSegment();
    for (int store = 0; store < 3; store++) {
      world.stores.disks.get(store).delete("keys/" + world.stores.mailbox);
    }
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(1, world.compact().rewritten());
    for (int store = 0; store < 3; store++) {
      assertFalse(isInStore(store, segment));
      assertTrue(world.stores.frames(store).keySet().containsAll(kept));
    }
  }

  /** What is whole nowhere is left as it is: someone may still mend it. */
  @Test
  void theLastDamagedCopyIsNotThrownAway() throws Exception {
    List<MessageId> kept = held(3);
    finished(6);
    UUID damaged = world.endSegment();
    long at = world.place(kept.getFirst()).offset() + 70;
    List<MessageId> others = held(3);
    finished(6);
    UUID good = world.endSegment();
    for (int store = 0; store < 3; store++) {
      world.stores.damage(store, damaged, at);
    }
    byte[] before = world.stores.bytes(0, damaged);
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    // First together, then each alone.
    world.compact();
    world.compact();
    assertArrayEquals(before, world.stores.bytes(0, damaged));
    assertFalse(world.isGone(kept.getFirst()));
    assertEquals(3, world.copies(kept.get(1)));
    assertFalse(isInStore(0, good), "the control: others do not wait for it");
    assertEquals(3, world.copies(others.getFirst()));
    assertEquals(Set.of(damaged), Set.of(world.place(kept.get(2)).segment()));
  }

  /** Compaction hangs on a store; mail comes in as if nothing were. */
  @Test
  void acceptanceGoesOnWhileCompactionHangs() throws Exception {
    finished(4);
    List<MessageId> kept = held(4);
    world.stores.storeWait(VaultWorld.SHORT);
    world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    world.stores.stores.get(1).mood(Mood.HANGING);
    List<Compactor.Report> reports = new ArrayList<>();
    Thread compaction =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    reports.add(world.compactor().pass());
                  } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    Await.until(() -> world.stores.stores.get(1).waiting() > 0);
    List<MessageId> fresh = held(5);
    for (MessageId id : fresh) {
      assertEquals(2, world.copies(id));
    }
    assertEquals(List.of(), reports, "compaction still hangs");
    world.stores.stores.get(1).mood(Mood.GOOD);
    assertTrue(compaction.join(Duration.ofSeconds(20)));
    assertEquals(1, reports.getFirst().rewritten());
    for (MessageId id : kept) {
      assertEquals(3, world.copies(id));
    }
  }

  @Test
  void whileAnotherCompactsNothingIsDone() throws Exception {
    finished(2);
    UUID segment = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    try (SegmentBook.Turn _ = world.retention.turn().orElseThrow()) {
      assertFalse(world.compactor().pass().ran());
    }
    assertTrue(isInStore(0, segment));
    assertEquals(1, world.compact().dropped(), "the control");
  }

  /** An order to keep a mailbox stops the clock of all its mail, and its end starts it again. */
  @Test
  void aHoldKeepsWhatWouldGo() throws Exception {
    MessageId id = finished(1).getFirst();
    world.endSegment();
    var hold = world.holds.set(world.customer(), Optional.empty(), "case");
    world.clock.advance(Duration.ofDays(400));
    assertEquals(0, world.compact().dropped());
    assertEquals(3, world.copies(id));
    world.holds.release(hold.id());
    world.clock.advance(Duration.ofDays(4));
    assertEquals(1, world.compact().dropped());
    assertFalse(world.isInAnyStore(id));
  }

  /** A node whose clock is years ahead would find that all mail is over. */
  @Test
  void aClockThatIsAheadDropsNothing() throws Exception {
    MessageId id = finished(1).getFirst();
    world.endSegment();
    for (Duration wrong : List.of(Duration.ofDays(4_000), Duration.ofDays(-4_000))) {
      Clock clock = Clock.offset(Clock.systemUTC(), wrong);
      assertTrue(
          world.retention.ahead(clock).minus(wrong).abs().compareTo(Duration.ofMinutes(1)) < 0);
      Compactor compactor = compactor(clock);
      IOException ahead = assertThrows(IOException.class, compactor::pass);
      assertTrue(ahead.toString().contains("clock"), ahead::toString);
      assertFalse(world.isGone(id));
    }
    Clock right = Clock.systemUTC();
    assertTrue(compactor(right).pass().ran(), "the control");
  }

  private Compactor compactor(Clock clock) {
    return new Compactor(
        world.stores.config(),
        RetentionWorld.GRACE,
        StoreChoice.of(world.stores.stores),
        world.retention,
        world.keys,
        new Compactor.Hooks(
            () -> {}, () -> {}, (segment, store) -> false, () -> world.retention.ahead(clock)),
        clock);
  }

  /** The open segment ends when it is a day old, so that its mail can go. */
  @Test
  void anOldSegmentEndsThoughNoMailComes() throws Exception {
    finished(1);
    world.stores.vault().endOld();
    assertEquals(List.of(), world.stores.vault().ended());
    world.clock.advance(Duration.ofDays(1));
    world.stores.vault().endOld();
    Await.until(() -> world.stores.vault().ended().size() == 1);
  }
}
