package net.postern.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore.Mood;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LedgerRebuild;
import net.postern.ledger.LiveNodes;
import net.postern.ledger.MessageView;
import net.postern.ledger.SegmentTable;
import net.postern.testkit.Await;
import net.postern.vault.Place;
import net.postern.vault.SegmentFacts;
import net.postern.vault.SegmentNames;
import net.postern.vault.SegmentVault;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is in the vault comes to be in the ledger, whatever happened in between. */
class ReconcilerTest {
  @TempDir Path temp;
  private IntakeWorld world;

  @BeforeEach
  void open() throws Exception {
    world = new IntakeWorld(temp);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private MessageId send(String text, String... recipients) throws InterruptedException {
    MessageId id = assertInstanceOf(IntakeResult.Accepted.class, world.send(text, recipients)).id();
    Await.until(() -> !world.queries.find(id).isEmpty());
    return id;
  }

  private void forgetInLedger(MessageId id) {
    for (String sql :
        List.of("delete from delivery where message_id = ?", "delete from message where id = ?")) {
      world.database.jdbi().useHandle(handle -> handle.execute(sql, id.value()));
    }
  }

  private List<DeliveryState> states(MessageId id) {
    return world.queries.find(id).stream().map(MessageView::state).toList();
  }

  @Test
  void whatTheLedgerLacksIsEnteredAndTheRestLeftAlone() throws Exception {
    MessageId kept = send("one", "ann@mild.example");
    MessageId lost = send("score 5 ", "ann@mild.example", "ann@strict.example");
    Place place = world.queries.find(lost).getFirst().place();
    world.restart();
    forgetInLedger(lost);
    // The end of the segment was cut off in one store, and torn in another.
    UUID segment = place.segment();
    byte[] whole = world.stores.bytes(0, segment);
    String object = "segments/" + segment;
    world.stores.disks.get(0).put(object, ByteBuffer.wrap(whole, 0, whole.length - 1));
    world.stores.disks.get(1).put(object, ByteBuffer.wrap(Arrays.copyOf(whole, whole.length + 9)));
    UUID empty = UUID.randomUUID();
    // A header and nothing else: a crash before the first frame was whole.
    ByteBuffer header = ByteBuffer.allocate(40);
    header.put("POSTERNS".getBytes(StandardCharsets.US_ASCII)).putShort((short) 1).position(16);
    header.putLong(empty.getMostSignificantBits()).putLong(empty.getLeastSignificantBits());
    world.stores.disks.get(2).put("segments/" + empty, header.position(0));

    Reconciler.Report report = world.reconciler().run();
    assertEquals(2, report.segments());
    assertEquals(2, report.messages());
    assertEquals(1, report.entered());
    assertEquals(0, report.unfinished());
    assertEquals(List.of(DeliveryState.IN_PROGRESS), states(kept), "still as it was");
    // What the dead node was to deliver at once waits; what was held is held.
    assertEquals(
        List.of(DeliveryState.WAITING, DeliveryState.HELD),
        states(lost).stream().sorted().toList());
    assertEquals(place, world.queries.find(lost).getFirst().place());
    assertEquals(0, world.difference());
    for (DirectoryStore disk : world.stores.disks) {
      assertEquals(whole.length, disk.length(object), "ends are equal again");
    }
    Reconciler.Report again = world.reconciler().run();
    assertEquals(0, again.segments(), "noted as complete");
  }

  /** With one store of three, acknowledged mail may be in the other two: nothing is noted. */
  @Test
  void tooFewStoresAreNoProofOfCompleteness() throws Exception {
    MessageId id = send("one", "ann@mild.example");
    UUID segment = world.queries.find(id).getFirst().place().segment();
    world.restart();
    forgetInLedger(id);
    world.stores.disks.get(2).delete("segments/" + segment);
    world.stores.stores.get(0).mood(Mood.FAILING);
    world.stores.stores.get(1).mood(Mood.FAILING);
    Reconciler.Report alone = world.reconciler().run();
    assertFalse(alone.complete());
    assertEquals(0, alone.entered());
    world.stores.stores.get(0).mood(Mood.GOOD);
    world.stores.stores.get(1).mood(Mood.GOOD);
    Reconciler.Report all = world.reconciler().run();
    assertTrue(all.complete());
    assertEquals(1, all.entered());
  }

  /** A frame that nobody can enter does not keep the node from starting, and is not forgotten. */
  @Test
  void aPoisonFrameIsReportedEachTimeAndHoldsNobodyUp() throws Exception {
    Place poison = world.stores.vault().keep(world.stores.frame("no record inside")).place();
    MessageId good = send("one", "ann@mild.example");
    world.restart();
    forgetInLedger(good);
    Reconciler.Report report = world.reconciler().run();
    assertEquals(1, report.entered());
    assertEquals(1, report.unfinished());
    assertEquals(List.of(DeliveryState.WAITING), states(good));
    assertFalse(new SegmentTable(world.database).recorded().contains(poison.segment()));
    assertEquals(0, world.difference());
  }

  /** Two nodes over one database and the same stores: what one writes the other leaves alone. */
  @Test
  void anotherNodesOpenSegmentIsLeftAloneWhileThatNodeLives() throws Exception {
    UUID other = UUID.randomUUID();
    LiveNodes nodes = new LiveNodes(world.database, other, SegmentFacts.ALL_KEPT);
    LiveNodes first = new LiveNodes(world.database, world.stores.node, SegmentFacts.ALL_KEPT);
    assertFalse(first.beat());
    assertFalse(nodes.beat());
    MessageId id = send("one", "ann@mild.example");
    UUID open = world.queries.find(id).getFirst().place().segment();
    try (SegmentVault second =
        new SegmentVault(
            world.stores.config(),
            world.stores.disks,
            world.stores.keys(),
            new SegmentNames(other),
            nodes,
            event -> {},
            Clock.systemUTC())) {
      SegmentTable table = new SegmentTable(world.database);
      Reconciler reconciler =
          new Reconciler(second, world.ledger, table, new LedgerRebuild(world.database));
      world.stores.disks.getFirst().delete("segments/" + open);
      assertEquals(0, reconciler.run().segments());
      assertEquals(0, second.upkeep().mend(open), "nor is it mended");
      assertFalse(table.recorded().contains(open));

      // It dies, and nobody hears of it for long.
      world
          .database
          .jdbi()
          .useHandle(
              handle ->
                  handle.execute(
                      "update node set seen_at = seen_at - interval '11 minutes' where id = ?",
                      world.stores.node));
      assertTrue(nodes.beat(), "somebody is gone");
      assertEquals(1, reconciler.run().segments());
      assertTrue(table.recorded().contains(open));
    }
  }

  /** A node that was killed does not wait for anybody before it looks at what it left. */
  @Test
  void aNodesOwnSegmentsOfAnEarlierLifeAreWalkedAtOnce() throws Exception {
    LiveNodes nodes = new LiveNodes(world.database, world.stores.node, SegmentFacts.ALL_KEPT);
    nodes.beat();
    new LiveNodes(world.database, UUID.randomUUID(), SegmentFacts.ALL_KEPT).beat();
    MessageId id = send("one", "ann@mild.example");
    world.restart();
    world.stores.facts = nodes;
    forgetInLedger(id);
    assertEquals(1, world.reconciler().run().entered());
  }

  /** A store that refused the last group has a clean copy, and that is not all. */
  @Test
  void aCopyThatEndsEarlyDoesNotStandForTheSegment() throws Exception {
    send("one", "ann@mild.example");
    world.stores.stores.getFirst().mood(Mood.READ_ONLY);
    MessageId last = send("two", "ann@mild.example");
    Place place = world.queries.find(last).getFirst().place();
    assertEquals(List.of(place.segment()), world.stores.vault().ended());
    assertEquals(2, world.stores.copies(place), "the first store lacks the last group");
    forgetInLedger(last);
    world.stores.stores.getFirst().mood(Mood.GOOD);
    // The others are away: the short copy is the only one that can be asked.
    for (int store = 1; store < 3; store++) {
      world.stores.stores.get(store).mood(Mood.FAILING);
    }
    assertEquals(0, world.reconciler().noteFinished());
    assertFalse(new SegmentTable(world.database).recorded().contains(place.segment()));
    for (int store = 1; store < 3; store++) {
      world.stores.stores.get(store).mood(Mood.GOOD);
    }
    assertEquals(0, world.reconciler().noteFinished(), "one is not in the ledger");
    world.restart();
    assertEquals(1, world.reconciler().run().entered());
    assertTrue(new SegmentTable(world.database).recorded().contains(place.segment()));
  }

  /** Whole in no copy, each damaged at another place: the copies vote before anybody walks. */
  @Test
  void whatTheCopiesCanSettleIsEntered() throws Exception {
    MessageId first = send("one", "ann@mild.example");
    MessageId second = send("two", "ann@mild.example");
    Place place = world.queries.find(first).getFirst().place();
    world.restart();
    forgetInLedger(first);
    for (int store = 0; store < 3; store++) {
      world.stores.damage(store, place.segment(), place.offset() + 60 + store);
    }
    Reconciler.Report report = world.reconciler().run();
    assertEquals(1, report.entered());
    assertEquals(0, report.damaged());
    assertEquals(place, world.queries.find(first).getFirst().place());
    assertEquals(3, world.stores.copies(world.queries.find(second).getFirst().place()));
    assertTrue(new SegmentTable(world.database).recorded().contains(place.segment()));
  }

  /** Nobody knows what is in a gap: such a segment is never noted, and not walked for ever. */
  @Test
  void aSegmentWithAGapIsNotNotedAndNotWalkedAgain() throws Exception {
    MessageId lost = send("one", "ann@mild.example");
    MessageId behind = send("two", "ann@mild.example");
    Place place = world.queries.find(lost).getFirst().place();
    world.restart();
    forgetInLedger(behind);
    for (int store = 0; store < 3; store++) {
      world.stores.damage(store, place.segment(), place.offset() + 60);
    }
    Reconciler reconciler = world.reconciler();
    Reconciler.Report report = reconciler.run();
    assertEquals(1, report.entered());
    assertEquals(1, report.damaged());
    assertEquals(0, report.unfinished());
    assertFalse(new SegmentTable(world.database).recorded().contains(place.segment()));
    Reconciler.Report again = reconciler.run();
    assertEquals(0, again.segments());
    assertEquals(1, again.damaged());
    assertEquals(1, world.reconciler().run().segments(), "the next start looks again");
  }

  /** Segments are noted while the node runs, but only when all of them is in the ledger. */
  @Test
  void finishedSegmentsAreNoted() throws Exception {
    Reconciler reconciler = world.reconciler();
    List<MessageId> ids = new ArrayList<>();
    String filler = "x".repeat(300_000);
    for (int i = 0; i < 5; i++) {
      ids.add(send(filler, "ann@mild.example"));
    }
    List<UUID> ended = world.stores.vault().ended();
    assertEquals(1, ended.size());
    forgetInLedger(ids.getFirst());
    assertEquals(0, reconciler.noteFinished(), "one is missing");
    assertEquals(0, reconciler.run().segments(), "its own segments are not for a running node");
    world.restart();
    assertEquals(1, world.reconciler().run().entered());
    send("more", "ann@mild.example");
    Reconciler second = world.reconciler();
    world.stores.vault().close();
    assertEquals(1, second.noteFinished(), "the control: nothing is missing");
    assertEquals(List.of(), world.stores.vault().ended());
  }
}
