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
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
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
    byte[] forged = record.tombstone(Aead.key(Aead.random(Aead.KEY_BYTES)), Instant.now()).encode();
    String object = "keys/" + mailbox;
    byte[] bytes = new Parcel(KeyRecord.TOMBSTONE_GENERATION, forged).encode(object);
    disks.get(1).put(object, ByteBuffer.wrap(bytes));
    assertEquals(customer, ring(master).mailboxKey(mailbox).customer());
    ring(master).spread(mailbox.value());
    for (DirectoryStore disk : disks) {
      assertEquals(live, Replicas.read(disk, object), "the forged one is replaced");
    }
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
      @ForAll @Size(max = 80) byte[] wrapped, @ForAll @Size(max = 80) byte[] label) {
    KeyRecord record =
        new KeyRecord(
            KeyRecord.Kind.MAILBOX,
            UUID.randomUUID(),
            KeyRecord.parent(UUID.randomUUID()),
            wrapped,
            label);
    byte[] bytes = record.encode();
    KeyRecord back = KeyRecord.decode(bytes);
    assertEquals(record.id(), back.id());
    assertEquals(record.parentId(), back.parentId());
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
