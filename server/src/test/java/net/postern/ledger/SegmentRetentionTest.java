package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.ledger.Keepers.Keeper;
import net.postern.tenant.LegalHold;
import net.postern.vault.SegmentBook;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a message, and until when. */
class SegmentRetentionTest {
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

  private Map<MessageId, Instant> kept(UUID segment) throws IOException {
    Map<MessageId, Instant> kept = new HashMap<>();
    for (SegmentBook.KeptFrame each : world.retention.kept(segment, world.clock.instant())) {
      kept.put(each.id(), each.keptUntil());
      assertEquals(world.place(each.id()), each.place());
    }
    return kept;
  }

  /** A message that nothing keeps, beside each that something does. */
  private MessageId nobodys() throws Exception {
    MessageId id = world.enter(50, DeliveryState.REMOVED);
    world.sql(
        "update delivery set due_at = due_at - interval '14 days' where message_id = ?",
        id.value());
    return id;
  }

  @Test
  void openDeliveriesKeepForEverAndFinishedOnesForAWhile() throws Exception {
    MessageId nobodys = nobodys();
    MessageId waiting = world.enter(50, DeliveryState.WAITING);
    MessageId inProgress = world.enter(50, DeliveryState.IN_PROGRESS);
    MessageId held = world.enter(50, DeliveryState.HELD);
    MessageId delivered = world.enter(50, DeliveryState.WAITING);
    world.finish(delivered);
    Instant end = world.clock.instant().plus(RetentionWorld.KEEP_FINISHED);
    UUID segment = world.endSegment();
    assertEquals(
        Map.of(
            waiting, SegmentBook.FOR_EVER,
            inProgress, SegmentBook.FOR_EVER,
            held, SegmentBook.FOR_EVER,
            delivered, end),
        kept(segment));
    world.clock.advance(RetentionWorld.KEEP_FINISHED.minusSeconds(1));
    assertTrue(kept(segment).containsKey(delivered));
    world.clock.advance(Duration.ofSeconds(1));
    assertEquals(Set.of(waiting, inProgress, held), kept(segment).keySet());
    assertFalse(world.isGone(nobodys), "a question changes nothing");
  }

  @Test
  void keepersKeepUntilTheirTimeOrForEver() throws Exception {
    MessageId nobodys = nobodys();
    MessageId bounded = nobodys();
    MessageId open = nobodys();
    UUID segment = world.endSegment();
    assertEquals(Map.of(), kept(segment), "the control");
    Instant until = world.clock.instant().plus(Duration.ofDays(30));
    CustomerId customer = world.stores.customer;
    Keeper archive = new Keeper("archive", Optional.empty(), Optional.of(until));
    Keeper mailbox = new Keeper("mailbox", world.mailbox(), Optional.empty());
    assertTrue(world.keepers.add(customer, bounded, archive));
    assertTrue(world.keepers.add(customer, open, archive));
    assertTrue(world.keepers.add(customer, open, mailbox));
    assertEquals(Map.of(bounded, until, open, SegmentBook.FOR_EVER), kept(segment));
    assertEquals(List.of(archive, mailbox), world.keepers.of(customer, open));
    assertEquals(List.of(), world.keepers.of(customer, nobodys));

    assertTrue(world.keepers.remove(customer, open, "mailbox", world.mailbox()));
    assertFalse(world.keepers.remove(customer, open, "mailbox", world.mailbox()), "only once");
    Instant later = until.plus(Duration.ofDays(1));
    assertTrue(
        world.keepers.add(
            customer, open, new Keeper("archive", Optional.empty(), Optional.of(later))),
        "said anew");
    assertEquals(Map.of(bounded, until, open, later), kept(segment));
    assertFalse(
        world.keepers.add(customer, MessageId.create(), mailbox), "there is no such message");
  }

  @Test
  void legalHoldsKeepWhatTheyCover() throws Exception {
    MessageId ours = nobodys();
    RetentionWorld.Sent sent =
        world.send(50, List.of(world.stores.customer), world.stores.other, DeliveryState.REMOVED);
    sent.entered().get();
    CustomerId stranger = CustomerId.create();
    RetentionWorld.Sent strangers =
        world.send(50, List.of(stranger), world.stores.mailbox, DeliveryState.REMOVED);
    strangers.entered().get();
    UUID segment = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(Map.of(), kept(segment), "the control");
    LegalHold other = world.holds.set(world.customer(), Optional.of(world.stores.other), "case 1");
    assertEquals(Map.of(sent.id(), SegmentBook.FOR_EVER), kept(segment));
    LegalHold all = world.holds.set(world.customer(), Optional.empty(), "case 2");
    assertEquals(Set.of(ours, sent.id()), kept(segment).keySet());
    world.holds.release(other.id());
    assertEquals(Set.of(ours, sent.id()), kept(segment).keySet());
    world.holds.release(all.id());
    assertEquals(Map.of(), kept(segment));
  }

  /** A mailbox whose key is gone keeps nothing, but a message for others too stays for them. */
  @Test
  void whatNobodyCanReadIsNotKept() throws Exception {
    MessageId held = world.enter(50, DeliveryState.HELD);
    MessageId archived = world.enter(50, DeliveryState.HELD);
    MessageId moved = world.enter(50, DeliveryState.HELD);
    RetentionWorld.Sent other =
        world.send(50, List.of(world.stores.customer), world.stores.other, DeliveryState.HELD);
    other.entered().get();
    UUID segment = world.endSegment();
    CustomerId customer = world.stores.customer;
    world.keepers.add(
        customer, archived, new Keeper("archive", Optional.empty(), Optional.empty()));
    world.keepers.add(
        customer, moved, new Keeper("mailbox", Optional.of(world.stores.other), Optional.empty()));
    assertEquals(Set.of(held, archived, moved, other.id()), kept(segment).keySet());
    world.erased.add(world.stores.mailbox);
    assertEquals(Set.of(moved, other.id()), kept(segment).keySet());
    world.holds.set(world.customer(), Optional.empty(), "a hold is stronger");
    assertEquals(Set.of(held, archived, moved, other.id()), kept(segment).keySet());
  }

  /** One frame, two customers: it stays as long as either keeps it. */
  @Test
  void aFrameThatCustomersShareIsKeptByTheLongest() throws Exception {
    CustomerId second = CustomerId.create();
    RetentionWorld.Sent shared =
        world.send(
            50,
            List.of(world.stores.customer, second),
            world.stores.mailbox,
            DeliveryState.REMOVED);
    shared.entered().get();
    UUID segment = world.endSegment();
    world.clock.advance(RetentionWorld.KEEP_FINISHED);
    assertEquals(Map.of(), kept(segment), "the control");
    assertTrue(
        world.keepers.add(
            second, shared.id(), new Keeper("archive", Optional.empty(), Optional.empty())));
    assertEquals(Map.of(shared.id(), SegmentBook.FOR_EVER), kept(segment));
  }

  /** Whoever comes between a look and its consequence wins. */
  @Test
  void whatIsKeptAfterTheLookIsNotDropped() throws Exception {
    MessageId kept = nobodys();
    UUID segment = world.endSegment();
    Instant now = world.clock.instant();
    SegmentBook.Replacement drop =
        new SegmentBook.Replacement(Set.of(segment), Optional.empty(), List.of());
    assertEquals(Map.of(), kept(segment));
    Keeper archive = new Keeper("archive", Optional.empty(), Optional.empty());
    world.keepers.add(world.stores.customer, kept, archive);
    assertFalse(world.retention.replace(drop, now));
    world.keepers.remove(world.stores.customer, kept, "archive", Optional.empty());
    LegalHold hold = world.holds.set(world.customer(), world.mailbox(), "case");
    assertFalse(world.retention.replace(drop, now));
    assertFalse(world.isGone(kept));
    world.holds.release(hold.id());
    assertTrue(world.retention.replace(drop, now), "the control");
    assertTrue(world.isGone(kept));
    assertFalse(world.retention.replace(drop, now), "only once");
    assertFalse(world.keepers.add(world.stores.customer, kept, archive), "too late");
    assertEquals(0, world.difference());
  }

  @Test
  void onlyOneCompactsAtATime() throws Exception {
    SegmentBook.Turn first = world.retention.turn().orElseThrow();
    assertTrue(world.retention.turn().isEmpty());
    first.close();
    world.retention.turn().orElseThrow().close();
  }

  @Test
  void withoutTheDatabaseEverythingFailsAndNothingChanges() throws Exception {
    MessageId id = nobodys();
    UUID segment = world.endSegment();
    Instant now = world.clock.instant();
    TestDatabase.takeAway(world.database);
    try {
      assertThrows(IOException.class, () -> world.compactor().pass());
      assertThrows(IOException.class, () -> world.retention.kept(segment, now));
      assertThrows(
          IOException.class,
          () ->
              world.retention.replace(
                  new SegmentBook.Replacement(Set.of(segment), Optional.empty(), List.of()), now));
    } finally {
      TestDatabase.bringBack(world.database);
    }
    assertFalse(world.isGone(id));
    assertEquals(1, world.compact().dropped(), "the control");
  }
}
