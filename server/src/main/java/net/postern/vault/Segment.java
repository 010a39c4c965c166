package net.postern.vault;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import net.postern.blob.ObjectStore;

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

  /** The segment that an object holds. */
  static UUID name(String object) {
    return UUID.fromString(object.substring(KIND.length() + 1));
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

  /** Gets the frames of a walk. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param frame all bytes of an undamaged frame
     * @return false to end the walk
     */
    boolean frame(Place place, FrameCodec.Header header, byte[] frame) throws IOException;
  }

  /**
   * Walks the frames of a segment in one store, each checked by its digest.
   *
   * @return where the last whole frame ends: what lies beyond was never acknowledged from this
   *     store. 0 when not even the header is whole
   * @throws IOException when the store fails, or the visitor does; damage only ends the walk
   */
  static long walk(ObjectStore store, UUID segment, Visitor visitor) throws IOException {
    String object = object(segment);
    long length = store.length(object);
    if (length < HEADER) {
      return 0;
    }
    try {
      checkHeader(segment, store.range(object, 0, HEADER));
    } catch (java.nio.file.NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      return 0;
    }
    long at = HEADER;
    while (at + FrameCodec.MIN_FRAME <= length) {
      FrameCodec.Header header;
      byte[] head = store.range(object, at, FrameCodec.FIXED);
      try {
        header = FrameCodec.header(head);
      } catch (IOException e) {
        return at;
      }
      if (at + header.length() > length) {
        return at;
      }
      byte[] frame = store.range(object, at, header.length());
      try {
        FrameCodec.verify(frame);
      } catch (IOException e) {
        return at;
      }
      if (!visitor.frame(new Place(segment, at, header.length()), header, frame)) {
        return at;
      }
      at += header.length();
    }
    return at;
  }
}
