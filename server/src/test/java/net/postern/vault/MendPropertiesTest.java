package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;

/** Whatever happened to the copies: mending takes nothing away, and comes to an end. */
class MendPropertiesTest {
  private static final CustomerId CUSTOMER = CustomerId.create();
  private static final MailboxId MAILBOX = MailboxId.create();
  private static final List<Path> ROOT = new ArrayList<>();
  private static final List<DirectoryStore> STORES = new ArrayList<>();
  private static final List<FrameCodec> CODEC = new ArrayList<>();

  @BeforeContainer
  static void open() throws IOException {
    ROOT.add(Files.createTempDirectory("mend"));
    for (int i = 1; i <= 3; i++) {
      STORES.add(new DirectoryStore("store-" + i, ROOT.getFirst().resolve("store-" + i)));
    }
    KeyRing keys = new KeyRing(MasterKey.of(Aead.random(32)), new Replicas(STORES, 2));
    keys.createCustomer(CUSTOMER, "c");
    keys.createMailbox(CUSTOMER, MAILBOX, "m");
    CODEC.add(new FrameCodec(keys));
  }

  @AfterContainer
  static void clean() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT.getFirst())) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static byte[] segment(UUID name, Random random) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(1 << 16).put(Segment.header(name, 7));
    int frames = random.nextInt(6);
    for (int i = 0; i < frames; i++) {
      byte[] content = new byte[random.nextInt(400)];
      random.nextBytes(content);
      bytes.put(
          CODEC
              .getFirst()
              .encode(
                  new MessageFrame(
                      MessageId.create(),
                      List.of(new MessageFrame.Holder(CUSTOMER, MAILBOX)),
                      new byte[0],
                      content)));
    }
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  // Empty: deleted.
  private static Optional<byte[]> spoil(byte[] whole, byte[] other, Random random) {
    byte[] bytes = whole.clone();
    return switch (random.nextInt(8)) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)));
      case 2 -> {
        byte[] longer = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(200));
        byte[] tail = new byte[longer.length - bytes.length];
        random.nextBytes(tail);
        System.arraycopy(tail, 0, longer, bytes.length, tail.length);
        yield Optional.of(longer);
      }
      case 3 -> Optional.of(other);
      case 4, 5 -> {
        for (int i = random.nextInt(4); i >= 0; i--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        yield Optional.of(bytes);
      }
      case 6 -> {
        int from = random.nextInt(bytes.length);
        Arrays.fill(bytes, from, Math.min(bytes.length, from + 300), (byte) 0);
        yield Optional.of(bytes);
      }
      default -> Optional.of(bytes);
    };
  }

  private static Set<ByteBuffer> frames(ObjectStore store, UUID segment) {
    Set<ByteBuffer> frames = new HashSet<>();
    try {
      SegmentCopies.find(List.of(store), segment)
          .walk((place, header, frame) -> frames.add(ByteBuffer.wrap(frame)));
    } catch (IOException e) {
      // It has none.
    }
    return frames;
  }

  @Property(tries = 500)
  void mendingTakesNothing(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    UUID name = UUID.randomUUID();
    UUID otherName = UUID.randomUUID();
    byte[] whole = segment(name, random);
    byte[] other = segment(otherName, random);
    String object = Segment.object(name);
    String otherObject = Segment.object(otherName);
    Set<ByteBuffer> before = new HashSet<>();
    List<Set<ByteBuffer>> each = new ArrayList<>();
    for (DirectoryStore store : STORES) {
      Optional<byte[]> copy = spoil(whole, other, random);
      if (copy.isPresent()) {
        store.put(object, ByteBuffer.wrap(copy.get()));
      }
      if (random.nextInt(3) > 0) {
        store.put(otherObject, ByteBuffer.wrap(other));
      }
      each.add(frames(store, name));
      before.addAll(each.getLast());
      before.addAll(frames(store, otherName));
    }
    Mender mender = new Mender(3, 2, SegmentFacts.ALL_KEPT, ParcelCheck.NO_KEYS);
    List<ObjectStore> stores = List.copyOf(STORES);
    mend(mender, object, stores);
    mend(mender, otherObject, stores);

    Set<ByteBuffer> after = new HashSet<>();
    for (DirectoryStore store : STORES) {
      after.addAll(frames(store, name));
      after.addAll(frames(store, otherName));
    }
    assertTrue(after.containsAll(before), "seed " + seed + ": a whole frame is gone");
    Set<ByteBuffer> right = framesOf(name, whole);
    for (int i = 0; i < 3; i++) {
      Set<ByteBuffer> had = new HashSet<>(each.get(i));
      had.retainAll(right);
      assertTrue(frames(STORES.get(i), name).containsAll(had), "seed " + seed + ": store " + i);
    }
    // What one copy alone has at its end shows only when the others are mended. After that nothing
    // changes any more.
    mend(mender, object, stores);
    mend(mender, otherObject, stores);
    List<Finding> again = new ArrayList<>(mend(mender, object, stores));
    again.addAll(mend(mender, otherObject, stores));
    assertTrue(
        again.stream().noneMatch(finding -> finding.outcome() == Finding.Outcome.REPAIRED),
        () -> "seed " + seed + ": " + again);
    for (DirectoryStore store : STORES) {
      store.delete(object);
      store.delete(otherObject);
    }
  }

  private static List<Finding> mend(Mender mender, String object, List<ObjectStore> stores) {
    try {
      return mender.mend(object, stores).findings();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static Set<ByteBuffer> framesOf(UUID name, byte[] bytes) throws IOException {
    DirectoryStore store = new DirectoryStore("whole", ROOT.getFirst().resolve("whole"));
    store.put(Segment.object(name), ByteBuffer.wrap(bytes));
    return frames(store, name);
  }

  /** Every bit of a header, flipped, shows; the control is the header itself. */
  @Example
  void everyBitOfAHeaderIsCovered() throws IOException {
    UUID name = UUID.randomUUID();
    byte[] header = Segment.header(name, 1_700_000_000_000L);
    assertEquals(new Segment.Header(2, name, 1_700_000_000_000L), Segment.readHeader(header));
    for (int bit = 0; bit < 8 * Segment.HEADER; bit++) {
      byte[] damaged = header.clone();
      damaged[bit / 8] ^= (byte) (1 << (bit % 8));
      int at = bit;
      assertThrows(IOException.class, () -> Segment.readHeader(damaged), () -> "bit " + at);
    }
  }

  @Example
  void aHeaderOfTheFirstVersionIsStillRead() throws IOException {
    UUID name = UUID.randomUUID();
    ByteBuffer first =
        ByteBuffer.allocate(Segment.HEADER)
            .put("POSTERNS".getBytes(StandardCharsets.US_ASCII))
            .putShort((short) 1)
            .position(16)
            .putLong(name.getMostSignificantBits())
            .putLong(name.getLeastSignificantBits())
            .putLong(5);
    assertEquals(new Segment.Header(1, name, 5), Segment.readHeader(first.array()));
    first.put(11, (byte) 1);
    assertThrows(IOException.class, () -> Segment.readHeader(first.array()));
  }

  /** Damage at different bytes of all copies is outvoted; at the same byte of all it is not. */
  @Property(tries = 100)
  void copiesThatAreAllDamagedVote(
      @ForAll @IntRange(min = 2, max = 3) int copies,
      @ForAll @IntRange(min = 1, max = 3) int flips,
      @ForAll long seed) {
    Random random = new Random(seed);
    byte[] content = new byte[200];
    random.nextBytes(content);
    String object = "keys/" + UUID.randomUUID();
    byte[] right = new Parcel(3, content).encode(object);
    Set<Integer> taken = new HashSet<>();
    List<byte[]> damaged = new ArrayList<>();
    for (int i = 0; i < copies; i++) {
      byte[] copy = right.clone();
      for (int done = 0; done < flips; ) {
        int at = random.nextInt(copy.length);
        if (taken.add(at)) {
          copy[at] ^= (byte) (1 << random.nextInt(8));
          done++;
        }
      }
      assertFalse(decodes(object, copy));
      damaged.add(copy);
    }
    assertArrayEquals(right, Vote.among(damaged, bytes -> decodes(object, bytes)).orElseThrow());
    for (int i = 0; i < copies; i++) {
      damaged.get(i)[50] = (byte) (right[50] + 1 + i);
    }
    assertTrue(Vote.among(damaged, bytes -> decodes(object, bytes)).isEmpty(), "the control");
  }

  private static boolean decodes(String object, byte[] bytes) {
    try {
      Parcel.decode(object, bytes);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
