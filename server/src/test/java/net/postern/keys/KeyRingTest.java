package net.postern.keys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.spec.SecretKeySpec;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyRingTest {
  @TempDir Path temp;
  private final MasterKey master = MasterKey.of(Aead.random(32));
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
    KeyRing ring = ring(master);
    ring.createCustomer(customer, "Example Ltd");
    ring.createMailbox(customer, mailbox, "user@example.com");
  }

  private KeyRing ring(MasterKey key) {
    return new KeyRing(key, new Replicas(stores, 2));
  }

  @Test
  void anyOneStoreAndTheMasterKeyGiveEveryKey() throws IOException {
    byte[] expected = ring(master).mailboxKey(mailbox).key().getEncoded();
    for (FaultyStore alone : stores) {
      for (FaultyStore store : stores) {
        store.mood(store == alone ? FaultyStore.Mood.GOOD : FaultyStore.Mood.FAILING);
      }
      KeyRing.MailboxKey found = ring(master).mailboxKey(mailbox);
      assertArrayEquals(expected, found.key().getEncoded());
      assertEquals(customer, found.customer());
    }
  }

  /** One damaged copy must not hide two good ones. */
  @Test
  void aDamagedCopyIsPassedOver() throws IOException {
    for (UUID id : List.of(customer.value(), mailbox.value())) {
      String object = "keys/" + id;
      byte[] bytes = disks.getFirst().range(object, 0, (int) disks.getFirst().length(object));
      for (int at = 0; at < bytes.length; at += 5) {
        byte[] damaged = bytes.clone();
        damaged[at] ^= 0x20;
        disks.getFirst().put(object, ByteBuffer.wrap(damaged));
        assertEquals(customer, ring(master).mailboxKey(mailbox).customer());
      }
      disks.getFirst().put(object, ByteBuffer.wrap(bytes, 0, bytes.length - 1));
      assertEquals(customer, ring(master).mailboxKey(mailbox).customer());
      disks.getFirst().put(object, ByteBuffer.wrap(bytes));
    }
  }

  @Test
  void noKeyIsToldFromNoAnswer() throws IOException {
    MailboxId unknown = MailboxId.create();
    assertThrows(NoSuchFileException.class, () -> ring(master).mailboxKey(unknown));
    stores.getFirst().mood(FaultyStore.Mood.FAILING);
    IOException noAnswer = assertThrows(IOException.class, () -> ring(master).mailboxKey(unknown));
    assertFalse(noAnswer instanceof NoSuchFileException, noAnswer::toString);
  }

  @Test
  void anotherMasterKeyOpensNothingAndSaysWhich() {
    MasterKey other = MasterKey.of(Aead.random(32));
    IOException failure = assertThrows(IOException.class, () -> ring(other).mailboxKey(mailbox));
    StringBuilder all = new StringBuilder(failure.toString());
    for (Throwable each : failure.getSuppressed()) {
      all.append(each);
      for (Throwable below : each.getSuppressed()) {
        all.append(below);
      }
    }
    assertTrue(all.indexOf(master.id()) >= 0 && all.indexOf(other.id()) >= 0, all::toString);
  }

  /** A record moved to another mailbox's name does not pass for that mailbox's key. */
  @Test
  void recordsCannotBeSwapped() throws IOException {
    MailboxId second = MailboxId.create();
    ring(master).createMailbox(customer, second, "other@example.com");
    for (DirectoryStore disk : disks) {
      String from = "keys/" + mailbox;
      byte[] bytes = Replicas.read(disk, from).content();
      ByteBuffer.wrap(bytes)
          .putLong(6, second.value().getMostSignificantBits())
          .putLong(14, second.value().getLeastSignificantBits());
      String to = "keys/" + second;
      disk.put(to, ByteBuffer.wrap(new Parcel(1, bytes).encode(to)));
    }
    assertThrows(IOException.class, () -> ring(master).mailboxKey(second));
  }

  @Test
  void theSystemKeyIsMadeOnceAndOpensWithTheMasterKeyOnly() throws IOException {
    byte[] made = ring(master).systemKey().getEncoded();
    assertArrayEquals(made, ring(master).systemKey().getEncoded());
    KeyRing foreign = ring(MasterKey.of(Aead.random(32)));
    assertThrows(IOException.class, foreign::systemKey);
    assertArrayEquals(made, ring(master).systemKey().getEncoded(), "and nothing was replaced");
  }

  @Test
  void aKeyThatTooFewStoresTookIsNotMade() throws IOException {
    stores.get(0).mood(FaultyStore.Mood.READ_ONLY);
    MailboxId two = MailboxId.create();
    ring(master).createMailbox(customer, two, "two@example.com");
    assertEquals(customer, ring(master).mailboxKey(two).customer(), "the control: two are enough");
    stores.get(1).mood(FaultyStore.Mood.READ_ONLY);
    MailboxId one = MailboxId.create();
    KeyRing ring = ring(master);
    assertThrows(IOException.class, () -> ring.createMailbox(customer, one, "one@example.com"));
  }

  /** A tombstone in the stores ends the key, within the life of what is in memory. */
  @Test
  void anErasedKeyIsForgottenWithinTheLifeOfTheCache() throws IOException {
    AtomicLong now = new AtomicLong();
    KeyRing running =
        new KeyRing(MasterKeys.of(master), new Replicas(stores, 2), KeyShelf.NONE, now::get);
    MailboxId second = MailboxId.create();
    running.createMailbox(customer, second, "other@example.com");
    assertEquals(customer, running.mailboxKey(mailbox).customer());
    Parcel tombstone = ring(master).tombstone(mailbox, Instant.EPOCH.plusSeconds(86_400));
    new Replicas(disks, 3).put("keys/" + mailbox, tombstone);

    IOException erased =
        assertThrows(KeyErasedException.class, () -> ring(master).mailboxKey(mailbox));
    assertTrue(erased.toString().contains("1970-01-02"), erased::toString);
    now.set(KeyRing.CACHE_LIFE.toNanos() - 1);
    assertEquals(customer, running.mailboxKey(mailbox).customer(), "still in memory");
    now.set(KeyRing.CACHE_LIFE.toNanos());
    assertThrows(KeyErasedException.class, () -> running.mailboxKey(mailbox));
    assertEquals(customer, running.mailboxKey(second).customer(), "the control: not erased");
    assertThrows(
        KeyErasedException.class, () -> ring(master).tombstone(mailbox, Instant.EPOCH), "twice");
  }

  /** One store that missed the erasure does not bring the key back while another answers. */
  @Test
  void ofTwoCopiesTheHigherGenerationCounts() throws IOException {
    Parcel live = Replicas.read(disks.getFirst(), "keys/" + mailbox);
    Parcel tombstone = ring(master).tombstone(mailbox, Instant.now());
    String object = "keys/" + mailbox;
    for (DirectoryStore disk : disks) {
      for (DirectoryStore each : disks) {
        each.put(object, ByteBuffer.wrap((each == disk ? tombstone : live).encode(object)));
      }
      assertThrows(KeyErasedException.class, () -> ring(master).mailboxKey(mailbox));
    }
  }

  /** Who can only write to a store cannot erase a key: a tombstone is sealed like a key. */
  @Test
  void aForgedTombstoneIsPassedOver() throws IOException {
    Parcel live = Replicas.read(disks.getFirst(), "keys/" + mailbox);
    KeyRecord record = KeyRecord.decode(mailbox.value(), live);
    Parcel forged =
        KeyRecord.tombstone(
                record.kind(),
                record.id(),
                record.parent(),
                KeyRecord.TOMBSTONE_GENERATION,
                Aead.key(Aead.random(Aead.KEY_BYTES)),
                Instant.now())
            .parcel();
    String object = "keys/" + mailbox;
    byte[] bytes = forged.encode(object);
    disks.get(1).put(object, ByteBuffer.wrap(bytes));
    assertEquals(customer, ring(master).mailboxKey(mailbox).customer());
    ring(master).spread(mailbox.value());
    for (DirectoryStore disk : disks) {
      assertEquals(live, Replicas.read(disk, object), "the forged one is replaced");
    }
  }

  /** What a label seals is of the length of a time or of a key: it is taken for neither. */
  @Test
  void aLabelPassesForNoTombstoneAndForNoKey() throws IOException {
    for (String label : List.of("a@b.exam", "a-long-name-of-32@bytes.example.")) {
      MailboxId id = MailboxId.create();
      ring(master).createMailbox(customer, id, label);
      byte[] key = ring(master).mailboxKey(id).key().getEncoded();
      Parcel live = Replicas.read(disks.getFirst(), "keys/" + id);
      KeyRecord record = KeyRecord.decode(id.value(), live);
      boolean tombstone = label.length() == Long.BYTES;
      for (long generation : tombstone ? List.of(1L << 62, Long.MAX_VALUE) : List.of(1L, 2L)) {
        KeyRecord forged =
            new KeyRecord(
                record.version(),
                record.kind(),
                record.id(),
                record.parent(),
                generation,
                tombstone ? KeyRecord.Purpose.TOMBSTONE : KeyRecord.Purpose.KEY,
                record.label(),
                tombstone ? new byte[0] : record.label());
        passedOver(id, forged.parcel(), key, live);
      }
    }
  }

  /** The same with records of version 1, whose seals do not say what they are for. */
  @Test
  void aLabelOfTheFirstVersionPassesForNoTombstoneAndForNoKey() throws IOException {
    SecretKeySpec above = ring(master).customerKey(customer);
    for (String label : List.of("a@b.exam", "a-long-name-of-32@bytes.example.")) {
      MailboxId id = MailboxId.create();
      byte[] key = Aead.random(Aead.KEY_BYTES);
      Parcel live = FirstRecords.mailbox(above, customer, id, key, label);
      new Replicas(disks, 3).put("keys/" + id, live);
      assertArrayEquals(key, ring(master).mailboxKey(id).key().getEncoded(), "the control");
      KeyRecord record = KeyRecord.decode(id.value(), live);
      byte[] head = FirstRecords.mailboxHead(customer, id);
      for (byte[] beside : List.of(new byte[0], record.label(), record.wrapped())) {
        byte[] forged = FirstRecords.content(head, record.label(), beside);
        for (long generation : List.of(1L, 2L, 1L << 62, Long.MAX_VALUE)) {
          Parcel renewed = passedOver(id, new Parcel(generation, forged), key, live);
          assertEquals(2, renewed.generation(), "written anew as version 2");
        }
      }
    }
  }

  /** A record that was replaced, or erased, comes back under no higher generation. */
  @Test
  void aGenerationCannotBeRaisedByWhoOnlyWritesToAStore() throws IOException {
    Parcel live = Replicas.read(disks.getFirst(), "keys/" + mailbox);
    byte[] key = ring(master).mailboxKey(mailbox).key().getEncoded();
    KeyRecord record = KeyRecord.decode(mailbox.value(), live);
    List<Long> generations = List.of(2L, (1L << 62) - 1, 1L << 62, Long.MAX_VALUE);
    for (long generation : generations) {
      passedOver(mailbox, new Parcel(generation, live.content()), key, live);
      KeyRecord says = at(record, generation);
      passedOver(mailbox, says.parcel(), key, live);
    }
    Parcel tombstone = ring(master).tombstone(mailbox, Instant.now());
    SecretKeySpec above = ring(master).customerKey(customer);
    Parcel first = FirstRecords.mailbox(above, customer, mailbox, key, "user@example.com");
    String object = "keys/" + mailbox;
    for (long generation : generations) {
      for (byte[] content :
          List.of(live.content(), at(record, generation).parcel().content(), first.content())) {
        new Replicas(disks, 3).put(object, tombstone);
        byte[] forged = new Parcel(generation, content).encode(object);
        disks.get(1).put(object, ByteBuffer.wrap(forged));
        assertThrows(KeyErasedException.class, () -> ring(master).mailboxKey(mailbox));
        assertTrue(ring(master).spread(mailbox.value()).everywhere());
        for (DirectoryStore disk : disks) {
          assertEquals(tombstone, Replicas.read(disk, object));
        }
      }
    }
  }

  private static KeyRecord at(KeyRecord record, long generation) {
    return new KeyRecord(
        record.version(),
        record.kind(),
        record.id(),
        record.parent(),
        generation,
        record.purpose(),
        record.wrapped(),
        record.label());
  }

  /** In any one store it changes nothing, and goes when the stores are levelled. */
  private Parcel passedOver(MailboxId id, Parcel forged, byte[] key, Parcel live)
      throws IOException {
    String object = "keys/" + id;
    for (DirectoryStore disk : disks) {
      new Replicas(disks, 3).put(object, live);
      disk.put(object, ByteBuffer.wrap(forged.encode(object)));
      assertArrayEquals(key, ring(master).mailboxKey(id).key().getEncoded());
      assertTrue(ring(master).spread(id.value()).everywhere());
      for (DirectoryStore each : disks) {
        Parcel now = Replicas.read(each, object);
        assertEquals(Replicas.read(disk, object), now);
        assertFalse(now.equals(forged));
      }
      assertArrayEquals(key, ring(master).mailboxKey(id).key().getEncoded());
    }
    return Replicas.read(disks.getFirst(), object);
  }

  /** A customer's of version 1 goes to version 2 with its label, and its mailboxes stay. */
  @Test
  void aRecordOfTheFirstVersionIsReadAndWrittenAnew() throws IOException {
    CustomerId older = CustomerId.create();
    byte[] key = Aead.random(Aead.KEY_BYTES);
    Parcel first = FirstRecords.customer(master, older, key, "Older Ltd");
    new Replicas(disks, 3).put("keys/" + older, first);
    assertArrayEquals(key, ring(master).customerKey(older).getEncoded());
    assertTrue(ring(master).spread(older.value()).everywhere());
    Parcel renewed = Replicas.read(disks.getLast(), "keys/" + older);
    assertEquals(2, renewed.generation());
    assertEquals(2, renewed.content()[4]);
    assertArrayEquals(key, ring(master).customerKey(older).getEncoded());
    assertTrue(
        ring(master).labels(disks.getLast()).customers().stream()
            .anyMatch(each -> each.name().equals("Older Ltd")));
    ring(master).spread(older.value());
    assertEquals(renewed, Replicas.read(disks.getLast(), "keys/" + older), "once");

    // Of another generation it is not known to be what it says, nor is a tombstone.
    new Replicas(disks, 3).put("keys/" + older, new Parcel(2, first.content()));
    assertThrows(IOException.class, () -> ring(master).customerKey(older));
  }

  @Test
  void aPreviousMasterKeyOpensAndTheCurrentOneSeals() throws IOException {
    MasterKey fresh = MasterKey.of(Aead.random(32));
    MasterKeys both = new MasterKeys(fresh, List.of(master));
    KeyRing ring = new KeyRing(both, new Replicas(stores, 2), KeyShelf.NONE);
    assertEquals(customer, ring.mailboxKey(mailbox).customer());
    CustomerId later = CustomerId.create();
    ring.createCustomer(later, "Later Ltd");
    ring(fresh).customerKey(later);
    assertThrows(IOException.class, () -> ring(master).customerKey(later));
    assertThrows(IOException.class, () -> ring(fresh).customerKey(customer));
  }

  @Property(tries = 200)
  void recordsComeBackAndNoPrefixDoes(
      @ForAll @Size(60) byte[] wrapped,
      @ForAll @Size(max = 80) byte[] label,
      @ForAll @LongRange(min = 1, max = (1L << 62) - 1) long generation,
      @ForAll boolean first)
      throws IOException {
    KeyRecord record =
        new KeyRecord(
            (byte) (first ? 1 : 2),
            KeyRecord.Kind.MAILBOX,
            UUID.randomUUID(),
            KeyRecord.parent(UUID.randomUUID()),
            first ? 1 : generation,
            KeyRecord.Purpose.KEY,
            wrapped,
            label);
    assertEquals(record.id(), KeyRecord.decode(record.id(), record.parcel()).id());
    byte[] bytes = record.parcel().content();
    KeyRecord back = KeyRecord.decode(bytes);
    assertEquals(record.id(), back.id());
    assertEquals(record.parentId(), back.parentId());
    assertEquals(record.generation(), back.generation());
    assertArrayEquals(wrapped, back.wrapped());
    assertArrayEquals(label, back.label());
    for (int length = 0; length < bytes.length; length++) {
      byte[] prefix = java.util.Arrays.copyOf(bytes, length);
      assertThrows(IllegalArgumentException.class, () -> KeyRecord.decode(prefix));
    }
    byte[] longer = java.util.Arrays.copyOf(bytes, bytes.length + 1);
    assertThrows(IllegalArgumentException.class, () -> KeyRecord.decode(longer));
  }

  @Test
  void theMasterKeyFileIsPrivateAndReplacesNothing() throws IOException {
    Path file = temp.resolve("master.key");
    MasterKey made = MasterKey.create(file);
    assertEquals(made, MasterKey.read(file));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    assertThrows(FileAlreadyExistsException.class, () -> MasterKey.create(file));
    assertEquals(made, MasterKey.read(file));
    assertFalse(
        made.toString().contains(Files.readString(file, StandardCharsets.US_ASCII).strip()));
    Files.writeString(file, "too short");
    assertThrows(IOException.class, () -> MasterKey.read(file));
    Files.delete(file);
    IOException missing = assertThrows(IOException.class, () -> MasterKey.read(file));
    assertTrue(missing.toString().contains("put the copy back"), missing::toString);
  }
}
