package net.postern.vault;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.id.MessageId;

/**
 * The container of frames: a header of 40 bytes, then frames without gaps.
 *
 * <pre>
 *  0  8  magic "POSTERNS"
 *  8  2  version, 1
 * 10  6  zero
 * 16 16  the segment's name, a random UUID
 * 32  8  time of creation, milliseconds since 1970
 * </pre>
 */
final class Segment {
  static final String KIND = "segments";
  static final int HEADER = 40;

  private static final byte[] MAGIC = "POSTERNS".getBytes(StandardCharsets.US_ASCII);
  private static final short VERSION = 1;

  private Segment() {}

  /** The object that holds a segment. */
  static String object(UUID segment) {
    return KIND + "/" + segment;
  }

  /** The segment that an object holds; empty when its name is none. */
  static Optional<UUID> name(String object) {
    String text = object.substring(object.indexOf('/') + 1);
    try {
      UUID name = UUID.fromString(text);
      return name.toString().equals(text) ? Optional.of(name) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  static byte[] header(UUID segment, long createdMillis) {
    return ByteBuffer.allocate(HEADER)
        .put(MAGIC)
        .putShort(VERSION)
        .position(16)
        .putLong(segment.getMostSignificantBits())
        .putLong(segment.getLeastSignificantBits())
        .putLong(createdMillis)
        .array();
  }

  /** Checks that bytes are the header of this segment. */
  static void checkHeader(UUID segment, byte[] bytes) throws IOException {
    try {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw new IOException("no segment header");
      }
      short version = in.getShort();
      if (version != VERSION) {
        throw new IOException("segment of version " + version + "; this program knows 1");
      }
      in.position(16);
      if (!new UUID(in.getLong(), in.getLong()).equals(segment)) {
        throw new IOException("the object holds another segment");
      }
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new IOException("segment header is cut short", e);
    }
  }

  /**
   * The messages in a segment that is known to be undamaged: reads the clear part of each frame and
   * nothing else.
   *
   * @throws IOException when it is not whole, or the store fails
   */
  static List<MessageId> ids(ObjectStore store, UUID segment) throws IOException {
    String object = object(segment);
    long length = store.length(object);
    List<MessageId> ids = new ArrayList<>();
    long at = HEADER;
    while (at < length) {
      FrameCodec.Header header = FrameCodec.header(store.range(object, at, FrameCodec.FIXED));
      ids.add(header.id());
      at += header.length();
    }
    if (at != length) {
      throw new IOException("segment " + segment + " ends within a frame");
    }
    return ids;
  }
}
