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
import java.util.zip.CRC32C;
import net.postern.blob.ObjectStore;
import net.postern.id.MessageId;

/**
 * The container of frames: a header of 40 bytes, then frames without gaps.
 *
 * <pre>
 *  0  8  magic "POSTERNS"
 *  8  2  version, 2
 * 10  2  zero
 * 12  4  CRC-32C of the header without these four bytes
 * 16 16  the segment's name, a random UUID
 * 32  8  time of creation, milliseconds since 1970; 0 when it is not known any more
 * </pre>
 *
 * <p>Version 1 had zeros in place of the CRC; it is still read.
 */
final class Segment {
  static final String KIND = "segments";
  static final int HEADER = 40;

  private static final byte[] MAGIC = "POSTERNS".getBytes(StandardCharsets.US_ASCII);
  private static final short VERSION = 2;
  private static final int CRC_AT = 12;

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
    byte[] bytes =
        ByteBuffer.allocate(HEADER)
            .put(MAGIC)
            .putShort(VERSION)
            .position(16)
            .putLong(segment.getMostSignificantBits())
            .putLong(segment.getLeastSignificantBits())
            .putLong(createdMillis)
            .array();
    ByteBuffer.wrap(bytes).putInt(CRC_AT, crc(bytes));
    return bytes;
  }

  /** A header that is undamaged, as far as its version can tell. */
  record Header(int version, UUID segment, long createdMillis) {}

  /**
   * Reads a header.
   *
   * @throws IOException when the bytes are none, or damaged, or of a version that this program does
   *     not know
   */
  static Header readHeader(byte[] bytes) throws IOException {
    try {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw new IOException("no segment header");
      }
      short version = in.getShort();
      short zero = in.getShort();
      int crc = in.getInt();
      Header header = new Header(version, new UUID(in.getLong(), in.getLong()), in.getLong());
      boolean good =
          switch (version) {
            case 1 -> crc == 0;
            case VERSION -> crc == crc(bytes);
            default ->
                throw new IOException(
                    "segment of version " + version + "; this program knows 1 and 2");
          };
      if (!good || zero != 0) {
        throw new IOException("segment header is damaged");
      }
      return header;
    } catch (BufferUnderflowException e) {
      throw new IOException("segment header is cut short", e);
    }
  }

  /** Whether bytes begin as those of a segment do; as far as they go. */
  static boolean beginsLikeOne(byte[] bytes) {
    int length = Math.min(bytes.length, MAGIC.length);
    return Arrays.equals(bytes, 0, length, MAGIC, 0, length);
  }

  private static int crc(byte[] header) {
    CRC32C crc = new CRC32C();
    crc.update(header, 0, CRC_AT);
    crc.update(header, CRC_AT + 4, HEADER - CRC_AT - 4);
    return (int) crc.getValue();
  }

  /**
   * The messages in a segment that is known to be undamaged: reads the clear part of each frame and
   * nothing else.
   *
   * @param length that the copy is to have, in bytes
   * @throws IOException when it has another length or is not whole, or the store fails
   */
  static List<MessageId> ids(ObjectStore store, UUID segment, long length) throws IOException {
    String object = object(segment);
    long there = store.length(object);
    if (there != length) {
      throw new IOException(
          "segment %s is %d bytes long, not %d".formatted(segment, there, length));
    }
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
