package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import net.postern.blob.DirectoryStore;
import net.postern.blob.DyingStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.FirstRecords;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyShelf;
import net.postern.keys.MasterKey;
import net.postern.keys.MasterKeys;
import net.postern.keys.MasterRotation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The change of the master key, and what a kill at each of its writes leaves. */
class MasterRotationTest {
  private static final int CUSTOMERS = 3;

  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private final MasterKey before = MasterKey.of(Aead.random(32));
  private final MasterKey after = MasterKey.of(Aead.random(32));
  private final List<DirectoryStore> disks = new ArrayList<>();
  private final Map<MailboxId, byte[]> keys = new HashMap<>();

  @BeforeEach
  void makeKeys() throws IOException {
    for (int i = 1; i <= 3; i++) {
      disks.add(new DirectoryStore("store-" + i, temp.resolve("store-" + i)));
    }
    KeyRing ring = ring(MasterKeys.of(before));
    for (int i = 0; i < CUSTOMERS; i++) {
      CustomerId customer = CustomerId.create();
      ring.createCustomer(customer, "Customer " + i);
      MailboxId mailbox = MailboxId.create();
      ring.createMailbox(customer, mailbox, "user@example.com");
      keys.put(mailbox, ring.mailboxKey(mailbox).key().getEncoded());
    }
    byte[] _ = ring.systemKey().getEncoded();
  }

  @AfterEach
  void close() {
    database.close();
  }

  private KeyRing ring(MasterKeys masters) {
    return new KeyRing(masters, new Replicas(disks, 2), new DatabaseKeyShelf(database));
  }

  private MasterKeys both() {
    return new MasterKeys(after, List.of(before));
  }

  private void opens(KeyRing ring) throws IOException {
    for (Map.Entry<MailboxId, byte[]> each : keys.entrySet()) {
      assertArrayEquals(each.getValue(), ring.mailboxKey(each.getKey()).key().getEncoded());
    }
  }

  private void opensNothing(KeyRing ring) {
    for (MailboxId each : keys.keySet()) {
      assertThrows(IOException.class, () -> ring.mailboxKey(each));
    }
    assertThrows(IOException.class, ring::systemKey);
  }

  @Test
  void afterwardsTheOldKeyOpensNothingAndTheNewOneEverything() throws IOException {
    MasterRotation.Report report = new MasterRotation(ring(both())).run();
    assertEquals(CUSTOMERS + 1, report.records());
    assertEquals(CUSTOMERS + 1, report.rewrapped());
    assertTrue(report.complete(), report::toString);
    opens(ring(MasterKeys.of(after)));
    opensNothing(ring(MasterKeys.of(before)));
    for (DirectoryStore alone : disks) {
      Replicas one = new Replicas(List.of(alone), 1);
      opens(new KeyRing(after, one));
      opensNothing(new KeyRing(before, one));
    }
    MasterRotation.Report again = new MasterRotation(ring(both())).run();
    assertEquals(0, again.rewrapped(), "nothing is left to do");
    assertTrue(again.complete());
  }

  /** The control of the sentence that the old key may go. */
  @Test
  void withoutRotationTheOldKeyIsStillNeededEverywhere() throws IOException {
    MasterRotation.Report report = new MasterRotation(ring(new MasterKeys(after, List.of()))).run();
    assertFalse(report.complete());
    assertEquals(CUSTOMERS + 1, report.problems().size(), "no configured key opens them");
    for (MasterRotation.Left left : report.left().values()) {
      assertEquals(CUSTOMERS + 1, left.needing());
    }
    opens(ring(MasterKeys.of(before)));
  }

  @Test
  void aStoreThatIsAwayIsNamedAndGetsTheRestLater() throws IOException {
    List<ObjectStore> stores = new ArrayList<>(disks);
    net.postern.blob.FaultyStore faulty = new net.postern.blob.FaultyStore(disks.get(1));
    stores.set(1, faulty);
    faulty.mood(net.postern.blob.FaultyStore.Mood.READ_ONLY);
    KeyRing ring = new KeyRing(both(), new Replicas(stores, 2), new DatabaseKeyShelf(database));
    MasterRotation.Report report = new MasterRotation(ring).run();
    assertEquals(CUSTOMERS + 1, report.rewrapped());
    assertFalse(report.complete());
    assertEquals(CUSTOMERS + 1, report.left().getOrDefault("store-2", none()).needing());
    assertTrue(report.left().getOrDefault("store-1", some()).none());
    assertTrue(report.left().getOrDefault(MasterRotation.DATABASE, some()).none());

    faulty.mood(net.postern.blob.FaultyStore.Mood.FAILING);
    report = new MasterRotation(ring).run();
    assertTrue(report.left().getOrDefault("store-2", none()).away().isPresent());
    assertFalse(report.complete());
    faulty.mood(net.postern.blob.FaultyStore.Mood.GOOD);
    report = new MasterRotation(ring).run();
    assertEquals(0, report.rewrapped(), "only brought there");
    assertTrue(report.complete(), report::toString);
    opensNothing(new KeyRing(before, new Replicas(List.of(disks.get(1)), 1)));
  }

  private static MasterRotation.Left none() {
    return new MasterRotation.Left(0, 0, java.util.Optional.empty());
  }

  private static MasterRotation.Left some() {
    return new MasterRotation.Left(1, 1, java.util.Optional.of("not in the report"));
  }

  /**
   * Killed before or after every write to a store in turn: with both keys everything opens, from
   * each store alone too, and the next run finishes.
   */
  @Test
  void killedAtAnyPointItIsFinishedByTheNextRun() throws IOException {
    int kills = 0;
    MasterKey current = before;
    for (int at = 1; at <= 3 * (CUSTOMERS + 1); at++) {
      for (boolean half : List.of(false, true)) {
        MasterKey next = MasterKey.of(Aead.random(32));
        MasterKeys keysNow = new MasterKeys(next, List.of(current));
        DyingStore.Killer killer = new DyingStore.Killer(at, half);
        List<DyingStore> dying = disks.stream().map(disk -> new DyingStore(disk, killer)).toList();
        KeyRing ring = new KeyRing(keysNow, new Replicas(dying, 2), new DatabaseKeyShelf(database));
        MasterRotation.Report cut = new MasterRotation(ring).run();
        assertTrue(killer.writes() >= at, "killed");
        opens(ring(keysNow));
        for (DirectoryStore alone : disks) {
          opens(new KeyRing(keysNow, new Replicas(List.of(alone), 1), KeyShelf.NONE));
        }
        boolean wasWhole = cut.complete();
        MasterRotation.Report report = new MasterRotation(ring(keysNow)).run();
        assertTrue(report.complete(), report::toString);
        assertEquals(CUSTOMERS + 1, cut.rewrapped() + report.rewrapped());
        kills += wasWhole ? 0 : 1;
        opensNothing(ring(MasterKeys.of(current)));
        current = next;
      }
    }
    assertTrue(kills > 3 * CUSTOMERS, "most kills left something to do: " + kills);
  }

  /** One of version 1 that hangs on the current master key is sealed again as version 2. */
  @Test
  void whatIsOfTheFirstVersionIsWrittenAnew() throws IOException {
    CustomerId older = CustomerId.create();
    byte[] key = Aead.random(32);
    Parcel first = FirstRecords.customer(before, older, key, "Older Ltd");
    KeyShelf shelf = new DatabaseKeyShelf(database);
    shelf.raise(older.value(), first);
    MasterRotation.Report report = new MasterRotation(ring(MasterKeys.of(before))).run();
    assertEquals(1, report.rewrapped(), "the others are of version 2 and stay");
    assertTrue(report.complete(), report::toString);
    Parcel renewed = shelf.get(older.value()).orElseThrow();
    assertEquals(2, renewed.content()[4]);
    assertEquals(renewed, Replicas.read(disks.getLast(), "keys/" + older));
    assertArrayEquals(key, ring(MasterKeys.of(before)).customerKey(older).getEncoded());
    assertEquals(0, new MasterRotation(ring(MasterKeys.of(before))).run().rewrapped());
  }

  /** A forged generation neither ends the counting nor gets any further. */
  @Test
  void aForgedGenerationIsNotCountedOnFrom() throws IOException {
    MailboxId mailbox = keys.keySet().iterator().next();
    UUID customer = ring(both()).mailboxKey(mailbox).customer().value();
    String object = "keys/" + customer;
    Parcel live = Replicas.read(disks.getFirst(), object);
    for (long generation : List.of((1L << 62) - 1, Long.MAX_VALUE)) {
      Parcel forged = new Parcel(generation, live.content());
      disks.getFirst().put(object, java.nio.ByteBuffer.wrap(forged.encode(object)));
      MasterRotation.Report _ = new MasterRotation(ring(both())).run();
      assertEquals(2, Replicas.read(disks.getFirst(), object).generation());
    }
    assertTrue(new MasterRotation(ring(both())).run().complete());
    opens(ring(MasterKeys.of(after)));
  }

  /** Killed between the database and the stores: the database alone has the new record. */
  @Test
  void whatOnlyTheDatabaseHasIsWrittenToTheStores() throws IOException {
    KeyRing dead =
        new KeyRing(
            both(),
            new Replicas(
                disks.stream()
                    .map(disk -> new DyingStore(disk, new DyingStore.Killer(0, false)))
                    .toList(),
                2),
            new DatabaseKeyShelf(database));
    MasterRotation.Report cut = new MasterRotation(dead).run();
    assertEquals(CUSTOMERS + 1, cut.rewrapped());
    assertFalse(cut.complete());
    opens(ring(both()));
    assertEquals(0, new MasterRotation(ring(both())).run().rewrapped());
    opens(new KeyRing(after, new Replicas(disks, 2)));
  }

  /** Two operators at once: one record of each generation. */
  @Test
  void twoAtOnceEndWithOneRecord() throws Exception {
    Thread other =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    new MasterRotation(ring(both())).run();
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                });
    new MasterRotation(ring(both())).run();
    other.join();
    assertTrue(new MasterRotation(ring(both())).run().complete());
    opens(ring(MasterKeys.of(after)));
    UUID system = new UUID(0, 1);
    Parcel first = Replicas.read(disks.getFirst(), "keys/" + system);
    assertEquals(2, first.generation());
    for (DirectoryStore disk : disks) {
      assertEquals(first, Replicas.read(disk, "keys/" + system));
    }
  }
}
