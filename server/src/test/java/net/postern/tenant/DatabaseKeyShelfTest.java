package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.FirstRecords;
import net.postern.keys.KeyErasedException;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyShelf;
import net.postern.keys.KeyUpkeep;
import net.postern.keys.MasterKey;
import net.postern.keys.MasterKeys;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The database's copy of the keys beside the stores': who wins, and how they become equal. */
class DatabaseKeyShelfTest {
  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private final KeyShelf shelf = new DatabaseKeyShelf(database);
  private final MasterKeys master = MasterKeys.of(MasterKey.of(Aead.random(32)));
  private final List<DirectoryStore> disks = new ArrayList<>();
  private final List<FaultyStore> stores = new ArrayList<>();
  private final CustomerId customer = CustomerId.create();
  private final MailboxId mailbox = MailboxId.create();

  @BeforeEach
  void makeKeys() throws IOException {
    for (int i = 1; i <= 3; i++) {
      disks.add(new DirectoryStore("store-" + i, temp.resolve("store-" + i)));
      stores.add(new FaultyStore(disks.getLast()));
    }
    KeyRing ring = ring();
    ring.createCustomer(customer, "Example Ltd");
    ring.createMailbox(customer, mailbox, "user@example.com");
  }

  @AfterEach
  void close() {
    database.close();
  }

  private KeyRing ring() {
    return new KeyRing(master, new Replicas(stores, 2), shelf);
  }

  private KeyRing storesAlone() {
    return new KeyRing(master, new Replicas(stores, 2), KeyShelf.NONE);
  }

  private Parcel inStore(int store, UUID id) throws IOException {
    return Replicas.read(disks.get(store), "keys/" + id);
  }

  private void everyPlaceHas(Parcel expected, UUID id) throws IOException {
    assertEquals(Optional.of(expected), shelf.get(id));
    for (int store = 0; store < disks.size(); store++) {
      assertEquals(expected, inStore(store, id), "store " + store);
    }
  }

  @Test
  void databaseAndStoresHaveTheSameRecordsAndEachIsEnough() throws IOException {
    byte[] key = ring().mailboxKey(mailbox).key().getEncoded();
    everyPlaceHas(shelf.get(mailbox.value()).orElseThrow(), mailbox.value());
    assertEquals(List.of(), shelf.unsettled(10));
    stores.forEach(store -> store.mood(FaultyStore.Mood.FAILING));
    assertArrayEquals(key, ring().mailboxKey(mailbox).key().getEncoded(), "database alone");
    assertThrows(IOException.class, () -> storesAlone().mailboxKey(mailbox), "the control");
    stores.forEach(store -> store.mood(FaultyStore.Mood.GOOD));
    assertArrayEquals(key, storesAlone().mailboxKey(mailbox).key().getEncoded(), "stores alone");
  }

  @Test
  void whileTheDatabaseIsAwayTheStoresGiveTheKeysAndNoneIsMade() throws IOException {
    TestDatabase.takeAway(database);
    assertEquals(customer, ring().mailboxKey(mailbox).customer());
    KeyRing ring = ring();
    assertThrows(IOException.class, () -> ring.createCustomer(CustomerId.create(), "Late Ltd"));
    TestDatabase.bringBack(database);
    Await.until(() -> answers(CustomerId.create()));
  }

  private boolean answers(CustomerId fresh) {
    try {
      ring().createCustomer(fresh, "Late Ltd");
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void whatTheDatabaseLacksIsTakenFromTheStores() throws IOException {
    MailboxId second = MailboxId.create();
    ring().createMailbox(customer, second, "second@example.com");
    database.jdbi().useHandle(handle -> handle.execute("delete from wrapped_key"));
    assertEquals(customer, ring().mailboxKey(mailbox).customer());
    assertTrue(shelf.get(mailbox.value()).isPresent(), "adopted when it was read");
    assertTrue(shelf.get(second.value()).isEmpty(), "the control: not read yet");
    new KeyUpkeep(ring(), ids -> {}).sweep();
    everyPlaceHas(inStore(0, second.value()), second.value());
    assertThrows(NoSuchFileException.class, () -> ring().mailboxKey(MailboxId.create()));
  }

  @Test
  void aStoreThatWasAwayGetsItsRecordsLater() throws IOException {
    stores.get(2).mood(FaultyStore.Mood.FAILING);
    MailboxId second = MailboxId.create();
    ring().createMailbox(customer, second, "second@example.com");
    assertEquals(List.of(second.value()), shelf.unsettled(10));
    KeyUpkeep upkeep = new KeyUpkeep(ring(), ids -> {});
    assertEquals(0, upkeep.look(), "still away");
    stores.get(2).mood(FaultyStore.Mood.GOOD);
    assertThrows(NoSuchFileException.class, () -> inStore(2, second.value()));
    assertEquals(1, upkeep.look());
    everyPlaceHas(inStore(0, second.value()), second.value());
    assertEquals(List.of(), shelf.unsettled(10));
  }

  /** Nodes that start at once: the first insert decides, and no store keeps the other's key. */
  @Test
  void nodesThatMakeTheSystemKeyAtOnceGetTheSame() throws Exception {
    List<byte[]> made = new ArrayList<>();
    try (ExecutorService nodes = Executors.newFixedThreadPool(4)) {
      Callable<byte[]> node = () -> ring().systemKey().getEncoded();
      for (Future<byte[]> each : nodes.invokeAll(List.of(node, node, node, node))) {
        made.add(each.get());
      }
    }
    for (byte[] each : made) {
      assertArrayEquals(made.getFirst(), each);
    }
    UUID system = new UUID(0, 1);
    everyPlaceHas(shelf.get(system).orElseThrow(), system);
    assertArrayEquals(made.getFirst(), storesAlone().systemKey().getEncoded());
  }

  @Test
  void theFirstOfTwoRecordsOfOneGenerationStaysAndAHigherOneReplacesIt() throws IOException {
    UUID id = UUID.randomUUID();
    Parcel first = new Parcel(2, new byte[] {1});
    assertEquals(first, shelf.raise(id, first));
    assertEquals(first, shelf.raise(id, new Parcel(2, new byte[] {2})));
    assertEquals(first, shelf.raise(id, new Parcel(1, new byte[] {3})));
    shelf.written(id, 1, true);
    assertEquals(List.of(id), shelf.unsettled(10), "another generation was written");
    shelf.written(id, 2, false);
    assertEquals(List.of(id), shelf.unsettled(10), "not everywhere");
    shelf.written(id, 2, true);
    assertEquals(List.of(), shelf.unsettled(10));
    shelf.written(id, 2, false);
    assertEquals(List.of(), shelf.unsettled(10), "every store has it already");
    shelf.written(id, 1, false);
    assertEquals(List.of(id), shelf.unsettled(10), "an older one was written over it");
    shelf.written(id, 2, true);
    Parcel higher = new Parcel(3, new byte[] {4});
    assertEquals(higher, shelf.raise(id, higher));
    assertEquals(List.of(id), shelf.unsettled(10));
  }

  /** Another process raises and settles a record while this one still writes the older one. */
  @Test
  void aRecordThatIsOvertakenWhileItIsWrittenIsLookedAtAgain() throws IOException {
    disks.get(2).delete("keys/" + mailbox);
    Parcel tombstone = ring().tombstone(mailbox, Instant.now());
    KeyShelf overtaking =
        (KeyShelf)
            Proxy.newProxyInstance(
                KeyShelf.class.getClassLoader(),
                new Class<?>[] {KeyShelf.class},
                (_, method, arguments) -> {
                  Object kept = method.invoke(shelf, arguments);
                  if (method.getName().equals("raise")) {
                    Parcel _ = shelf.raise(mailbox.value(), tombstone);
                    assertTrue(ring().spread(mailbox.value()).everywhere());
                    assertEquals(List.of(), shelf.unsettled(10));
                  }
                  return kept;
                });
    KeyRing late = new KeyRing(master, new Replicas(stores, 2), overtaking);
    assertTrue(late.spread(mailbox.value()).everywhere());
    assertEquals(1, inStore(2, mailbox.value()).generation(), "the control: it came too late");
    assertEquals(List.of(mailbox.value()), shelf.unsettled(10));
    assertEquals(1, new KeyUpkeep(ring(), ids -> {}).look());
    everyPlaceHas(tombstone, mailbox.value());
  }

  /** Comparing everything takes long on a large installation, and for ever with a deaf store. */
  @Test
  void anErasureIsHeardOfWhileEverythingIsCompared() throws IOException {
    KeyRing running = ring();
    assertEquals(customer, running.mailboxKey(mailbox).customer());
    Parcel tombstone = shelf.raise(mailbox.value(), ring().tombstone(mailbox, Instant.now()));
    assertEquals(customer, running.mailboxKey(mailbox).customer(), "the control: in memory");
    stores.get(2).mood(FaultyStore.Mood.DEAF);
    try (KeyUpkeep upkeep = new KeyUpkeep(running, ids -> {})) {
      upkeep.start();
      Await.until(() -> isErased(running));
      stores.get(2).mood(FaultyStore.Mood.GOOD);
    }
    assertEquals(Optional.of(tombstone), shelf.get(mailbox.value()));
  }

  private boolean isErased(KeyRing ring) {
    try {
      return ring.mailboxKey(mailbox) == null;
    } catch (KeyErasedException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Records of version 1 are few in no store: the first sweep writes all of them anew. */
  @Test
  void theSweepWritesRecordsOfTheFirstVersionAnew() throws IOException {
    MailboxId older = MailboxId.create();
    byte[] key = Aead.random(32);
    Parcel first =
        FirstRecords.mailbox(ring().customerKey(customer), customer, older, key, "o@example.com");
    Parcel _ = shelf.raise(older.value(), first);
    new Replicas(disks, 3).put("keys/" + older, first);
    shelf.written(older.value(), 1, true);
    assertEquals(1, new KeyUpkeep(ring(), ids -> {}).sweep(), "the control: others stay");
    Parcel renewed = shelf.get(older.value()).orElseThrow();
    assertEquals(2, renewed.content()[4]);
    everyPlaceHas(renewed, older.value());
    assertArrayEquals(key, ring().mailboxKey(older).key().getEncoded());
    assertEquals(0, new KeyUpkeep(ring(), ids -> {}).sweep());
  }

  /** An old backup of the database is put back: what was erased since stays erased. */
  @Test
  void anOldDatabaseDoesNotBringAnErasedKeyBack() throws IOException {
    Parcel old = shelf.get(mailbox.value()).orElseThrow();
    Parcel tombstone = shelf.raise(mailbox.value(), ring().tombstone(mailbox, Instant.now()));
    assertTrue(ring().spread(mailbox.value()).everywhere());
    everyPlaceHas(tombstone, mailbox.value());
    assertEquals(List.of(mailbox.value()), shelf.erasedWithin(Duration.ofHours(1)));

    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update wrapped_key set generation = ?, record = ?, unsettled = false"
                        + " where id = ?",
                    old.generation(),
                    old.content(),
                    mailbox.value()));
    assertEquals(customer, ring().mailboxKey(mailbox).customer(), "the database's counts so far");
    assertEquals(1, new KeyUpkeep(ring(), ids -> {}).sweep());
    everyPlaceHas(tombstone, mailbox.value());
    assertThrows(KeyErasedException.class, () -> ring().mailboxKey(mailbox));
  }

  /** What hangs on an erasure cannot be done for now: the tombstone is in every store anyway. */
  @Test
  void aTombstoneDoesNotWaitForWhatHangsOnIt() throws IOException {
    KeyRing running = ring();
    assertEquals(customer, running.mailboxKey(mailbox).customer());
    Parcel tombstone = shelf.raise(mailbox.value(), ring().tombstone(mailbox, Instant.now()));
    List<UUID> told = new ArrayList<>();
    KeyUpkeep upkeep =
        new KeyUpkeep(
            running,
            ids -> {
              told.addAll(ids);
              throw new IllegalStateException("too slow, as ordered");
            });
    assertEquals(1, upkeep.look());
    everyPlaceHas(tombstone, mailbox.value());
    assertThrows(KeyErasedException.class, () -> running.mailboxKey(mailbox));
    assertEquals(List.of(mailbox.value()), told, "the control: it was tried");
  }

  /** Killed between deleting and writing: the store has nothing until it gets the tombstone. */
  @Test
  void aStoreThatLostTheRecordWhileItWasErasedGetsTheTombstone() throws IOException {
    Parcel tombstone = shelf.raise(mailbox.value(), ring().tombstone(mailbox, Instant.now()));
    disks.get(0).delete("keys/" + mailbox);
    assertEquals(1, inStore(1, mailbox.value()).generation(), "the others have the key yet");
    assertEquals(1, new KeyUpkeep(ring(), ids -> {}).look());
    everyPlaceHas(tombstone, mailbox.value());
    ByteBuffer nothing = ByteBuffer.allocate(1);
    disks.get(0).put("keys/" + mailbox, nothing);
    assertTrue(ring().spread(mailbox.value()).everywhere(), "a damaged copy is replaced");
    everyPlaceHas(tombstone, mailbox.value());
  }
}
