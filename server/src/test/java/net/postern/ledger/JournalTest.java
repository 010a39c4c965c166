package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import net.postern.blob.FaultyStore;
import net.postern.blob.Replicas;
import net.postern.id.MessageId;
import net.postern.vault.VaultWorld;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What became of deliveries gets into the stores, once is enough, and comes back from each. */
class JournalTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  private final LedgerWorld world = new LedgerWorld();

  @SuppressWarnings("NullAway.Init") // open() sets it
  private VaultWorld stores;

  @SuppressWarnings("NullAway.Init") // open() sets it
  private Journal journal;

  @BeforeEach
  void open() throws IOException {
    stores = new VaultWorld(directory);
    journal = new Journal(world.database, new Replicas(stores.stores, 2), stores.keys());
  }

  @AfterEach
  void close() {
    stores.close();
    world.close();
  }

  private List<JournalEntry> entries(int store) throws IOException {
    List<JournalEntry> all = new ArrayList<>();
    Journal.Read read = Journal.read(stores.disks.get(store), stores.keys(), all::addAll);
    assertEquals(List.of(), read.damaged());
    assertEquals(all.size(), read.entries());
    return all;
  }

  private List<String> states(int store) throws IOException {
    return entries(store).stream()
        .map(each -> each.delivery().number() + " " + each.state())
        .sorted()
        .toList();
  }

  @Test
  void everyEndIsWrittenToEveryStoreAndNothingElse() throws Exception {
    MessageRecord mail =
        world.message(
            DeliveryState.IN_PROGRESS,
            DeliveryState.IN_PROGRESS,
            DeliveryState.IN_PROGRESS,
            DeliveryState.HELD,
            DeliveryState.HELD,
            DeliveryState.IN_PROGRESS);
    world.enter(mail);
    assertEquals(0, journal.flush(), "how a message begins is in its frame");
    world.settle(world.one, new Settlement.Delivered(LedgerWorld.key(mail, 0), "250 ok"));
    world.settle(
        world.one, new Settlement.Returned(LedgerWorld.key(mail, 1), "550 no", Optional.empty()));
    Instant later = Instant.now().plusSeconds(60);
    world.settle(world.one, new Settlement.Retry(LedgerWorld.key(mail, 2), "450 later", later));
    world.settle(world.one, new Settlement.Unattempted(LedgerWorld.key(mail, 5)));
    MessageQueries queries = new MessageQueries(world.database);
    queries.delete(mail.id(), Optional.of(3), "tester");
    queries.release(mail.id(), Optional.of(4), "tester");

    assertEquals(4, journal.flush());
    for (int store = 0; store < 3; store++) {
      assertEquals(List.of("0 DELIVERED", "1 RETURNED", "3 REMOVED", "4 WAITING"), states(store));
    }
    JournalEntry removed =
        entries(0).stream().filter(each -> each.delivery().number() == 3).findFirst().orElseThrow();
    assertEquals("deleted from quarantine", removed.rule());
    assertEquals(mail.customer(), removed.delivery().customer());
    assertEquals(
        world.view(LedgerWorld.key(mail, 3)).stateSince().truncatedTo(ChronoUnit.MILLIS),
        removed.since());
    JournalEntry delivered =
        entries(0).stream().filter(each -> each.delivery().number() == 0).findFirst().orElseThrow();
    assertEquals(1, delivered.attempts());
    assertEquals(0, journal.flush(), "what is written is not written again");
  }

  @Test
  void whatTooFewStoresTookIsWrittenLater() throws Exception {
    MessageRecord mail = world.message(DeliveryState.IN_PROGRESS);
    world.enter(mail);
    world.settle(world.one, new Settlement.Delivered(LedgerWorld.key(mail, 0), "250 ok"));
    // The key is made while the stores are well: it is not what fails here.
    var _ = stores.keys().systemKey();
    stores.stores.get(0).mood(FaultyStore.Mood.FAILING);
    stores.stores.get(1).mood(FaultyStore.Mood.FAILING);
    assertThrows(IOException.class, journal::flush);
    stores.stores.get(1).mood(FaultyStore.Mood.GOOD);
    assertEquals(1, journal.flush());
    assertEquals(List.of("0 DELIVERED"), states(1));
    assertEquals(List.of(), states(0));
  }

  @Test
  void noAddressIsReadableAndNoneIsInside() throws Exception {
    MessageRecord mail = world.message(DeliveryState.IN_PROGRESS);
    world.enter(mail);
    world.settle(
        world.one, new Settlement.Delivered(LedgerWorld.key(mail, 0), "250 user0@example.com ok"));
    assertEquals(1, journal.flush());
    byte[] id = mail.id().toString().getBytes(StandardCharsets.US_ASCII);
    try (Stream<Path> files = Files.walk(directory.resolve("store-1/journal"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(bytes.contains("example.com"));
        assertFalse(bytes.contains(new String(id, StandardCharsets.US_ASCII)));
      }
    }
    assertFalse(entries(0).toString().contains("@"));
  }

  @Test
  void aDamagedObjectIsNamedAndTheOthersAreRead() throws Exception {
    for (int i = 0; i < 2; i++) {
      MessageRecord mail = world.message(DeliveryState.IN_PROGRESS);
      world.enter(mail);
      world.settle(world.one, new Settlement.Delivered(LedgerWorld.key(mail, 0), "250 ok"));
      assertEquals(1, journal.flush());
    }
    List<Path> objects;
    try (Stream<Path> files = Files.walk(directory.resolve("store-1/journal"))) {
      objects = files.filter(Files::isRegularFile).toList();
    }
    byte[] bytes = Files.readAllBytes(objects.getFirst());
    bytes[bytes.length / 2] ^= 1;
    Files.write(objects.getFirst(), bytes);
    List<JournalEntry> all = new ArrayList<>();
    Journal.Read read = Journal.read(stores.disks.get(0), stores.keys(), all::addAll);
    assertEquals(1, read.damaged().size());
    assertEquals(1, all.size());
  }

  // ---- merging ----

  private void manyObjects(List<MessageRecord> mails) throws Exception {
    for (MessageRecord mail : mails) {
      world.enter(mail);
      new MessageQueries(world.database).release(mail.id(), Optional.empty(), "tester");
      assertEquals(1, journal.flush());
      world.sql(
          "update delivery set state = 3, due_at = now() where message_id = ?", mail.id().value());
      assertEquals(1, journal.flush());
    }
  }

  @Test
  void manySmallObjectsBecomeOneThatSaysTheSame() throws Exception {
    List<MessageRecord> mails =
        Stream.generate(() -> world.message(DeliveryState.HELD)).limit(40).toList();
    manyObjects(mails);
    assertEquals(80, objects(0));
    JournalMerge merge = new JournalMerge(stores.stores, 2, stores.keys());

    assertEquals(79, merge.merge(JournalMerge.Gone.NOTHING));
    for (int store = 0; store < 3; store++) {
      assertEquals(1, objects(store));
      assertEquals(40, entries(store).size());
      assertTrue(entries(store).stream().allMatch(each -> each.state() == DeliveryState.DELIVERED));
    }
    assertEquals(0, merge.merge(JournalMerge.Gone.NOTHING), "one is not worth merging");
  }

  @Test
  void aMergeThatTooFewStoresTakeDeletesNothing() throws Exception {
    manyObjects(Stream.generate(() -> world.message(DeliveryState.HELD)).limit(32).toList());
    JournalMerge merge = new JournalMerge(stores.stores, 2, stores.keys());
    stores.stores.get(1).mood(FaultyStore.Mood.FAILING);
    stores.stores.get(2).mood(FaultyStore.Mood.FAILING);
    assertThrows(IOException.class, () -> merge.merge(JournalMerge.Gone.NOTHING));
    for (int store = 0; store < 3; store++) {
      assertTrue(objects(store) >= 64, "a store lost entries");
    }
    // The control, with one store away: it keeps what it has.
    stores.stores.get(1).mood(FaultyStore.Mood.GOOD);
    assertTrue(merge.merge(JournalMerge.Gone.NOTHING) > 0);
    assertEquals(32, entries(0).stream().map(JournalEntry::delivery).distinct().count());
    assertEquals(64, objects(2));
  }

  @Test
  void whatIsGoneIsLeftOutAndNothingElse() throws Exception {
    List<MessageRecord> mails =
        Stream.generate(() -> world.message(DeliveryState.HELD)).limit(4).toList();
    manyObjects(mails);
    JournalMerge merge = new JournalMerge(stores.stores, 2, stores.keys());
    assertEquals(0, merge.prune(JournalMerge.Gone.NOTHING, 1));
    assertEquals(8, objects(0));
    MessageId gone = mails.getFirst().id();
    JournalMerge.Gone one = messages -> messages.contains(gone) ? Set.of(gone) : Set.of();
    assertEquals(0, merge.prune(one, 1), "nothing was deleted since all of it was seen");
    assertEquals(2, merge.prune(one, 2));
    assertEquals(6, objects(0));
    assertTrue(entries(0).stream().noneMatch(each -> each.delivery().message().equals(gone)));
    assertEquals(3, entries(0).stream().map(JournalEntry::delivery).distinct().count());
  }

  /** However long the journal is: a call reads a part of it, and the next goes on. */
  @Test
  void aLongJournalIsPrunedInParts() throws Exception {
    List<MessageRecord> mails =
        Stream.generate(() -> world.message(DeliveryState.HELD))
            .limit(JournalMerge.PRUNED_AT_ONCE)
            .toList();
    manyObjects(mails);
    assertEquals(2 * JournalMerge.PRUNED_AT_ONCE, objects(0));
    JournalMerge merge = new JournalMerge(stores.stores, 2, stores.keys());
    assertEquals(JournalMerge.PRUNED_AT_ONCE, merge.prune(messages -> messages, 1));
    assertEquals(JournalMerge.PRUNED_AT_ONCE, objects(0));
    assertEquals(JournalMerge.PRUNED_AT_ONCE, merge.prune(messages -> messages, 1));
    assertEquals(0, objects(0));
  }

  private int objects(int store) throws IOException {
    int[] count = new int[1];
    stores.disks.get(store).list(JournalCodec.KIND, each -> count[0]++);
    return count[0];
  }

  // ---- and back ----

  @Test
  void ofTwoEntriesTheEndCountsAndThenTheLaterOne() {
    DeliveryKey key = LedgerWorld.key(world.message(DeliveryState.HELD), 0);
    JournalEntry held = entry(1, key, DeliveryState.HELD);
    JournalEntry released = entry(2, key, DeliveryState.WAITING);
    JournalEntry delivered = entry(3, key, DeliveryState.DELIVERED);
    JournalEntry stray = entry(9, key, DeliveryState.WAITING);
    assertTrue(released.supersedes(held));
    assertFalse(held.supersedes(released));
    assertTrue(delivered.supersedes(released));
    assertTrue(delivered.supersedes(stray), "nothing follows an end");
    assertFalse(stray.supersedes(delivered));
  }

  private static JournalEntry entry(long number, DeliveryKey key, DeliveryState state) {
    return new JournalEntry(number, key, state, Instant.EPOCH, Instant.EPOCH, 1, "");
  }

  @Test
  void aLedgerIsMadeAgainAsTheJournalSays() throws Exception {
    MessageRecord mail =
        world.message(
            DeliveryState.IN_PROGRESS,
            DeliveryState.IN_PROGRESS,
            DeliveryState.HELD,
            DeliveryState.HELD,
            DeliveryState.HELD,
            DeliveryState.REMOVED);
    world.enter(mail);
    world.settle(world.one, new Settlement.Delivered(LedgerWorld.key(mail, 0), "250 ok"));
    MessageQueries queries = new MessageQueries(world.database);
    queries.release(mail.id(), Optional.of(3), "tester");
    queries.delete(mail.id(), Optional.of(4), "tester");
    assertEquals(3, journal.flush());

    try (LedgerWorld fresh = new LedgerWorld()) {
      LedgerRebuild rebuild = new LedgerRebuild(fresh.database);
      assertTrue(rebuild.isEmpty());
      assertEquals(Optional.empty(), rebuild.unfinished());
      rebuild.begin("store-1");
      assertEquals(Optional.of("store-1"), rebuild.unfinished());
      // Twice, as after an interruption, and from last to first.
      for (int i = 0; i < 2; i++) {
        rebuild.load(entries(0).reversed());
        rebuild.enter(List.of(mail));
      }
      assertEquals(0, rebuild.orphans());
      LedgerRebuild.End end = new LedgerRebuild.End("store-1", 1, 2, 3, true);
      assertEquals(Optional.empty(), rebuild.unused());
      rebuild.finish(end);
      assertEquals(Optional.empty(), rebuild.unfinished());
      assertEquals(Optional.of(end), rebuild.unused());
      rebuild.noteUse();
      assertEquals(Optional.empty(), rebuild.unused());
      assertFalse(rebuild.isEmpty());

      List<DeliveryState> states = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        states.add(fresh.state(LedgerWorld.key(mail, i)));
      }
      assertEquals(
          List.of(
              DeliveryState.DELIVERED,
              DeliveryState.WAITING,
              DeliveryState.HELD,
              DeliveryState.WAITING,
              DeliveryState.REMOVED,
              DeliveryState.REMOVED),
          states);
      assertEquals("deleted from quarantine", fresh.view(LedgerWorld.key(mail, 4)).rule());
      Balance balance =
          Balance.all(fresh.database).stream()
              .filter(each -> each.customer().equals(mail.customer()))
              .findFirst()
              .orElseThrow();
      assertEquals(0, balance.difference());
      assertEquals(6, balance.accepted());

      // What happens from here on counts more than what was.
      Journal next = new Journal(fresh.database, new Replicas(stores.stores, 2), stores.keys());
      assertEquals(0, next.flush(), "a rebuild says nothing new");
      long before = entries(0).stream().mapToLong(JournalEntry::number).max().orElseThrow();
      new MessageQueries(fresh.database).release(mail.id(), Optional.of(2), "tester");
      assertEquals(1, next.flush());
      assertTrue(entries(0).stream().mapToLong(JournalEntry::number).max().orElseThrow() > before);
    }
  }
}
