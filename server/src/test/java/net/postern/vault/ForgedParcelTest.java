package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who can write to one store, and has no key, cannot replace what the others have. */
class ForgedParcelTest {
  @TempDir Path temp;
  private VaultWorld world;

  @BeforeEach
  void open() throws IOException {
    world = new VaultWorld(temp);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private Mender.Report mend(String object) throws IOException {
    KeyRing keys = world.keys();
    return new Mender(3, 2, SegmentFacts.ALL_KEPT, keys::judge).mend(object, disks());
  }

  private List<ObjectStore> disks() {
    return List.copyOf(world.disks);
  }

  private void put(int store, String object, Parcel parcel) throws IOException {
    world.disks.get(store).put(object, ByteBuffer.wrap(parcel.encode(object)));
  }

  private Parcel get(int store, String object) throws IOException {
    return Parcel.decode(object, Disks.bytes(world.disks.get(store), object));
  }

  private List<String> aside(int store) throws IOException {
    List<String> aside = new ArrayList<>();
    world.disks.get(store).list(ObjectStore.ASIDE, each -> aside.add(each.object()));
    return aside;
  }

  private void assertEverywhere(Parcel right, String object) throws IOException {
    for (int store = 0; store < 3; store++) {
      assertEquals(right, get(store, object));
    }
  }

  private static byte[] changed(byte[] content) {
    byte[] other = Arrays.copyOf(content, content.length);
    other[other.length / 2] ^= 1;
    return other;
  }

  @Test
  void aForgedKeyOfAHighGenerationIsReplaced() throws Exception {
    for (UUID id : List.of(world.mailbox.value(), world.customer.value())) {
      String object = "keys/" + id;
      Parcel right = get(0, object);
      put(1, object, new Parcel(1L << 61, changed(right.content())));
      Mender.Report report = mend(object);
      assertEquals(1, report.findings().size(), report::toString);
      assertEquals("store-2", report.findings().getFirst().store());
      assertEquals(Finding.Outcome.REPAIRED, report.findings().getFirst().outcome());
      assertTrue(report.findings().getFirst().detail().contains("forged"), report::toString);
      assertEverywhere(right, object);
      assertEquals(List.of(), aside(1), "a copy of a key must not outlive it");
    }
  }

  /** An old record under the generation of a tombstone would bring an erased key back. */
  @Test
  void anErasedKeyDoesNotComeBack() throws Exception {
    String object = "keys/" + world.mailbox;
    Parcel old = get(0, object);
    Parcel tombstone = world.keys().tombstone(world.mailbox, Instant.now());
    put(0, object, tombstone);
    mend(object);
    assertEverywhere(tombstone, object);
    put(2, object, new Parcel(Long.MAX_VALUE, old.content()));
    mend(object);
    assertEverywhere(tombstone, object);
  }

  @Test
  void aGenuineParcelOfAHigherGenerationIsSpread() throws Exception {
    String object = "settings/" + world.customer;
    byte[] context = object.getBytes(StandardCharsets.US_ASCII);
    var key = world.keys().customerKey(world.customer);
    for (int store = 0; store < 3; store++) {
      put(store, object, new Parcel(2, Aead.seal(key, context, new byte[100])));
    }
    Parcel newer = new Parcel(7, Aead.seal(key, context, new byte[120]));
    put(1, object, newer);
    Mender.Report report = mend(object);
    assertEquals(2, report.copies(), report::toString);
    assertEverywhere(newer, object);
  }

  /** The generation of a key's record is under its seals: raised by hand it is forged. */
  @Test
  void aRecordWhoseGenerationWasRaisedIsForged() throws Exception {
    String object = "keys/" + world.mailbox;
    Parcel right = get(0, object);
    put(1, object, new Parcel(7, right.content()));
    Mender.Report report = mend(object);
    assertEquals(1, report.copies(), report::toString);
    assertEverywhere(right, object);
  }

  @Test
  void forgedJournalAndSettingsArePutAside() throws Exception {
    KeyRing keys = world.keys();
    for (String object : List.of("journal/" + UUID.randomUUID(), "settings/" + world.customer)) {
      var key = object.startsWith("journal") ? keys.systemKey() : keys.customerKey(world.customer);
      byte[] context = object.getBytes(StandardCharsets.US_ASCII);
      Parcel right = new Parcel(2, Aead.seal(key, context, new byte[100]));
      for (int store = 0; store < 3; store++) {
        put(store, object, right);
      }
      int before = aside(2).size();
      Parcel forged = new Parcel(9, new byte[300]);
      put(2, object, forged);
      mend(object);
      assertEverywhere(right, object);
      List<String> aside = aside(2);
      assertEquals(before + 1, aside.size());
      DirectoryStore disk = world.disks.get(2);
      assertTrue(
          aside.stream()
              .anyMatch(
                  each -> {
                    try {
                      return Arrays.equals(forged.encode(object), Disks.bytes(disk, each));
                    } catch (IOException e) {
                      return false;
                    }
                  }),
          "people may look at it");
      Parcel newer = new Parcel(3, Aead.seal(key, context, new byte[50]));
      put(1, object, newer);
      mend(object);
      assertEverywhere(newer, object);
    }
  }

  /** Below an erased customer nobody can tell: every store keeps what it has. */
  @Test
  void belowAnErasedCustomerNothingIsReplaced() throws Exception {
    String object = "keys/" + world.mailbox;
    Parcel right = get(0, object);
    Parcel other = new Parcel(1L << 61, changed(right.content()));
    put(1, object, other);
    Parcel tombstone = world.keys().tombstone(world.customer, Instant.now());
    for (int store = 0; store < 3; store++) {
      put(store, "keys/" + world.customer, tombstone);
    }
    Mender.Report report = mend(object);
    assertEquals(List.of(), report.findings());
    assertEquals(right, get(0, object));
    assertEquals(other, get(1, object));
  }

  /** The one whole copy is forged, the genuine ones are damaged: nothing is thrown away. */
  @Test
  void aForgedCopyDoesNotReplaceDamagedOnes() throws Exception {
    String object = "keys/" + world.mailbox;
    byte[] good = Disks.bytes(world.disks.get(0), object);
    Parcel right = get(0, object);
    put(2, object, new Parcel(9, changed(right.content())));
    Disks.flip(world.disks.get(0), object, 30, 1);
    Disks.flip(world.disks.get(1), object, 30, 1);
    byte[] damaged = Disks.bytes(world.disks.get(0), object);
    Mender.Report report = mend(object);
    assertEquals(0, report.copies(), report::toString);
    assertFalse(report.findings().isEmpty());
    assertArrayEquals(damaged, Disks.bytes(world.disks.get(0), object));
    world.disks.get(0).put(object, ByteBuffer.wrap(good));
    mend(object);
    assertEverywhere(right, object);
  }

  /** Without keys most copies win, and what claims to be newer stays where it is. */
  @Test
  void withoutKeysMostCopiesWin() throws Exception {
    String object = "keys/" + world.mailbox;
    Parcel right = get(0, object);
    Parcel other = new Parcel(9, changed(right.content()));
    put(1, object, other);
    Mender mender = new Mender(3, 2, SegmentFacts.ALL_KEPT, ParcelCheck.NO_KEYS);
    Mender.Report report = mender.mend(object, disks());
    assertEquals(1, report.findings().size(), report::toString);
    assertEquals(right, get(0, object));
    assertEquals(other, get(1, object));
  }
}
