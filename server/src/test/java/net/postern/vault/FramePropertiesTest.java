package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;

/** The format of frames and segments, for any content and any damage. */
class FramePropertiesTest {
  private static final CustomerId CUSTOMER = CustomerId.create();
  private static final List<MailboxId> MAILBOXES = new ArrayList<>();
  private static final List<Path> ROOT = new ArrayList<>();
  private static final List<DirectoryStore> STORES = new ArrayList<>();
  private static final List<FrameCodec> CODEC = new ArrayList<>();

  @BeforeContainer
  static void keys() throws IOException {
    ROOT.add(Files.createTempDirectory("frames"));
    STORES.add(new DirectoryStore("one", ROOT.getFirst()));
    KeyRing keys = new KeyRing(MasterKey.of(Aead.random(32)), new Replicas(STORES, 1));
    keys.createCustomer(CUSTOMER, "c");
    for (int i = 0; i < 20; i++) {
      MAILBOXES.add(MailboxId.create());
      keys.createMailbox(CUSTOMER, MAILBOXES.getLast(), "m" + i);
    }
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

  private static MessageFrame frame(int holders, byte[] meta, byte[] content) {
    return new MessageFrame(
        MessageId.create(),
        MAILBOXES.subList(0, holders).stream()
            .map(mailbox -> new MessageFrame.Holder(CUSTOMER, mailbox))
            .toList(),
        meta,
        content);
  }

  @Property(tries = 200)
  void whatIsEncodedComesBack(
      @ForAll @IntRange(min = 1, max = 20) int holders,
      @ForAll @Size(max = 300) byte[] meta,
      @ForAll @Size(max = 3_000) byte[] content)
      throws IOException {
    MessageFrame frame = frame(holders, meta, content);
    byte[] bytes = CODEC.getFirst().encode(frame);
    MessageFrame back = CODEC.getFirst().decode(bytes);
    assertEquals(frame.id(), back.id());
    assertEquals(frame.holders(), back.holders());
    assertArrayEquals(meta, back.meta());
    assertArrayEquals(content, back.content());
    FrameCodec.Header header = FrameCodec.header(Arrays.copyOf(bytes, FrameCodec.FIXED));
    assertEquals(
        new FrameCodec.Header(frame.id(), bytes.length, holders, meta.length, content.length),
        header);
  }

  /** Every byte of one frame, each flipped in one random bit. */
  @Property(tries = 8)
  void anyFlippedByteIsDetected(
      @ForAll @IntRange(min = 1, max = 3) int holders, @ForAll @Size(max = 100) byte[] content)
      throws IOException {
    byte[] bytes = CODEC.getFirst().encode(frame(holders, new byte[] {'{', '}'}, content));
    Random random = new Random(content.length);
    for (int at = 0; at < bytes.length; at++) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      assertThrows(IOException.class, () -> FrameCodec.verify(damaged), "byte " + at);
      assertThrows(IOException.class, () -> CODEC.getFirst().decode(damaged), "byte " + at);
    }
    FrameCodec.verify(bytes);
  }

  /** Someone who can write to a store, and so can put a right digest, cannot change a message. */
  @Property(tries = 8)
  void aChangeWithARightDigestDoesNotDecrypt(@ForAll @Size(max = 60) byte[] content)
      throws Exception {
    byte[] bytes = CODEC.getFirst().encode(frame(1, new byte[] {'{', '}'}, content));
    for (int at = 12; at < bytes.length - FrameCodec.DIGEST; at++) {
      byte[] forged = bytes.clone();
      forged[at] ^= 1;
      var sha = java.security.MessageDigest.getInstance("SHA-256");
      sha.update(forged, 0, forged.length - FrameCodec.DIGEST);
      sha.digest(forged, forged.length - FrameCodec.DIGEST, FrameCodec.DIGEST);
      assertThrows(IOException.class, () -> CODEC.getFirst().decode(forged), "byte " + at);
    }
  }

  /** Cut anywhere, a segment yields exactly the frames that are whole before the cut. */
  @Property(tries = 40)
  void aTruncatedSegmentYieldsItsWholeFrames(
      @ForAll @Size(min = 1, max = 6) List<@Size(max = 200) byte[]> contents,
      @ForAll @IntRange(min = 0, max = 1_000) int cutPerMille)
      throws IOException {
    UUID segment = UUID.randomUUID();
    List<byte[]> frames = new ArrayList<>();
    int length = Segment.HEADER;
    for (byte[] content : contents) {
      frames.add(CODEC.getFirst().encode(frame(1, new byte[0], content)));
      length += frames.getLast().length;
    }
    ByteBuffer whole = ByteBuffer.allocate(length).put(Segment.header(segment, 5));
    frames.forEach(whole::put);
    int cut = (int) ((long) length * cutPerMille / 1_000);
    DirectoryStore store = STORES.getFirst();
    store.put(Segment.object(segment), ByteBuffer.wrap(whole.array(), 0, cut));

    List<byte[]> expected = new ArrayList<>();
    long at = Segment.HEADER;
    for (byte[] frame : frames) {
      if (at + frame.length > cut) {
        break;
      }
      expected.add(frame);
      at += frame.length;
    }
    List<byte[]> seen = new ArrayList<>();
    long end =
        SegmentCopies.find(STORES, segment).walk((place, header, frame) -> seen.add(frame)).end();
    assertEquals(at, end);
    assertEquals(expected.size(), seen.size());
    for (int i = 0; i < seen.size(); i++) {
      assertArrayEquals(expected.get(i), seen.get(i));
    }
    store.delete(Segment.object(segment));
  }
}
