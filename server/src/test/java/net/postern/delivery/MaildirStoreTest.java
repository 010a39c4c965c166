package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.Settlement;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaildirStoreTest {
  private final MaildirStore store = new MaildirStore(DeliveryWorld.HOST);

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> found = Files.walk(directory)) {
      return found.filter(Files::isRegularFile).toList();
    }
  }

  @Property(tries = 2_000)
  void noLocalPartLeavesItsDirectory(@ForAll @StringLength(max = 80) String text) {
    String name = MaildirStore.safeName(text);
    assertTrue(name.matches("[a-z0-9_+=%~.A-F-]+"), name);
    assertFalse(name.startsWith("."), name);
    assertTrue(name.length() <= 255, name);
    Path base = Path.of("/base/example.com");
    assertEquals(base, base.resolve(name).normalize().getParent());
  }

  @Property(tries = 2_000)
  void differentLocalPartsHaveDifferentDirectories(
      @ForAll @StringLength(max = 70) String one, @ForAll @StringLength(max = 70) String other) {
    boolean same =
        java.util.Arrays.equals(
            one.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8),
            other.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8));
    assertEquals(same, MaildirStore.safeName(one).equals(MaildirStore.safeName(other)));
  }

  @Test
  void knownNames() {
    assertEquals("bob.smith+tag", MaildirStore.safeName("Bob.Smith+tag"));
    assertEquals("%2E.", MaildirStore.safeName(".."));
    assertEquals("%2E.%2F.%2Fetc", MaildirStore.safeName(".././etc"));
    assertEquals("%25", MaildirStore.safeName("%"));
    assertNotEquals(MaildirStore.safeName("%2e"), MaildirStore.safeName("."));
  }

  @Test
  void aMessageHasItsEnvelopeOnTopAndNothingElseChanged(@TempDir Path base) throws Exception {
    try (DeliveryWorld world = DeliveryWorld.start()) {
      world.maildir("example.com", base);
      MessageId id = world.letter("../../Evil@example.com".replace("/", "%")).dispatch();
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      List<Path> files = files(base);
      assertEquals(1, files.size());
      Path file = files.getFirst();
      assertTrue(file.startsWith(base.resolve("example.com/%2E.%25..%25evil/new")), file::toString);
      assertEquals(
          "Return-Path: <a@sender.example>\r\nDelivered-To: ..%..%Evil@example.com\r\n"
              + new String(DeliveryWorld.MAIL, StandardCharsets.US_ASCII),
          Files.readString(file));
    }
  }

  @Test
  void aSecondAttemptReplacesTheFileOfTheFirst(@TempDir Path base) throws Exception {
    try (DeliveryWorld world = DeliveryWorld.start()) {
      var letter = world.letter("bob@example.com");
      LeasedDelivery first = letter.leased(1, Instant.now().plusSeconds(60), true).getFirst();
      String stored = store.store(base, first, DeliveryWorld.MAIL);
      assertEquals(stored, store.store(base, again(first), DeliveryWorld.MAIL));
      assertEquals(1, files(base).size());
      // A mail program has seen it in the meantime.
      Path maildir = base.resolve("example.com").resolve("bob");
      Path seen = maildir.resolve("cur").resolve(store.fileName(first) + ":2,S");
      Files.move(base.resolve(stored), seen);
      String _ = store.store(base, again(first), DeliveryWorld.MAIL);
      assertEquals(List.of(seen), files(base));
      // Control: another message is another file.
      var other = world.letter("bob@example.com");
      String _ =
          store.store(
              base,
              other.leased(2, Instant.now().plusSeconds(60), true).getFirst(),
              DeliveryWorld.MAIL);
      assertEquals(2, files(base).size());
    }
  }

  private static LeasedDelivery again(LeasedDelivery d) {
    return new LeasedDelivery(
        d.key(),
        d.place(),
        d.mailbox(),
        d.reversePath(),
        d.recipient(),
        d.acceptedAt(),
        d.giveUpAt(),
        d.attempt() + 1,
        d.leaseUntil(),
        d.bytes(),
        d.utf8(),
        d.mark(),
        d.subjectTag(),
        d.content());
  }

  @Test
  void whatACrashLeftInTmpIsOverwritten(@TempDir Path base) throws Exception {
    try (DeliveryWorld world = DeliveryWorld.start()) {
      LeasedDelivery first =
          world.letter("bob@example.com").leased(1, Instant.now(), true).getFirst();
      Path tmp = base.resolve("example.com/bob/tmp");
      Files.createDirectories(tmp);
      Files.write(tmp.resolve(store.fileName(first)), new byte[100_000]);
      String stored = store.store(base, again(first), DeliveryWorld.MAIL);
      assertEquals(List.of(base.resolve(stored)), files(base));
      assertTrue(Files.size(base.resolve(stored)) < 1_000);
    }
  }

  @Test
  void aFullDiskIsNoLoss(@TempDir Path base) throws Exception {
    Path blocked = base.resolve("blocked");
    Files.writeString(blocked, "a file where the directory should be");
    try (DeliveryWorld world = DeliveryWorld.start()) {
      world.maildir("example.com", blocked);
      MessageId id = world.letter("bob@example.com").dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      Files.delete(blocked);
      Await.until(() -> world.ledger.state(id) == DeliveryState.DELIVERED);
      assertEquals(2, files(base).size() + 1);
    }
  }

  @Test
  void nothingStaysBehindWhenTheFileSystemRefuses(@TempDir Path base) throws Exception {
    Path full = Path.of("/dev/full");
    org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(full), "no /dev/full on this system");
    try (DeliveryWorld world = DeliveryWorld.start()) {
      LeasedDelivery first =
          world.letter("bob@example.com").leased(1, Instant.now(), true).getFirst();
      Path maildir = base.resolve("example.com/bob");
      for (String part : List.of("tmp", "cur", "new")) {
        Files.createDirectories(maildir.resolve(part));
      }
      // Writing through this link fails with "no space left on device".
      Path partial = maildir.resolve("tmp").resolve(store.fileName(first));
      Files.createSymbolicLink(partial, full);
      IOException problem =
          assertThrows(IOException.class, () -> store.store(base, first, DeliveryWorld.MAIL));
      assertTrue(String.valueOf(problem.getMessage()).contains("No space left"), problem::toString);
      assertFalse(Files.exists(partial, java.nio.file.LinkOption.NOFOLLOW_LINKS));
      assertEquals(0, files(base).size());
    }
  }
}
