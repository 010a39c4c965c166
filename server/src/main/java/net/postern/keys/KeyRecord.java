package net.postern.keys;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * A wrapped key as it is kept in the stores: the content of parcel {@code keys/ID}.
 *
 * <p>Layout, big-endian: {@code "PKEY"}, version (1 byte, 1), kind (1 byte), id (16), parent (16),
 * length of the wrapped key (2), wrapped key, length of the sealed label (2), sealed label. The
 * parent of a mailbox key is its customer; that of any other is the {@linkplain MasterKey#id()
 * master key's id}, 16 hexadecimal digits as ASCII. Key and label are sealed under the parent with
 * the bytes before the first length as context, so that a record cannot be passed off for another.
 *
 * @param label what the key is for, sealed: the customer's name or the mailbox's address
 */
record KeyRecord(Kind kind, UUID id, byte[] parent, byte[] wrapped, byte[] label) {
  static final int PARENT_BYTES = 16;

  private static final int MAGIC = 0x504b4559;
  private static final byte VERSION = 1;

  /** What a key stands for. The codes are stored: never renumber. */
  enum Kind {
    CUSTOMER(1),
    MAILBOX(2),
    /** For what belongs to the installation as a whole, such as the journal. */
    SYSTEM(3);

    final byte code;

    Kind(int code) {
      this.code = (byte) code;
    }
  }

  static String object(UUID id) {
    return "keys/" + id;
  }

  /** The bytes that bind a sealed text to this record. */
  static byte[] context(Kind kind, UUID id, byte[] parent) {
    return ByteBuffer.allocate(6 + 16 + PARENT_BYTES)
        .putInt(MAGIC)
        .put(VERSION)
        .put(kind.code)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .put(parent)
        .array();
  }

  static byte[] parent(UUID customer) {
    return ByteBuffer.allocate(PARENT_BYTES)
        .putLong(customer.getMostSignificantBits())
        .putLong(customer.getLeastSignificantBits())
        .array();
  }

  static byte[] parent(MasterKey master) {
    return master.id().getBytes(StandardCharsets.US_ASCII);
  }

  UUID parentId() {
    ByteBuffer buffer = ByteBuffer.wrap(parent);
    return new UUID(buffer.getLong(), buffer.getLong());
  }

  byte[] encode() {
    byte[] head = context(kind, id, parent);
    return ByteBuffer.allocate(head.length + 4 + wrapped.length + label.length)
        .put(head)
        .putShort((short) wrapped.length)
        .put(wrapped)
        .putShort((short) label.length)
        .put(label)
        .array();
  }

  /**
   * Reads a record.
   *
   * @throws IllegalArgumentException when the bytes are none
   */
  static KeyRecord decode(byte[] bytes) {
    try {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      if (in.getInt() != MAGIC) {
        throw new IllegalArgumentException("no key record");
      }
      byte version = in.get();
      if (version != VERSION) {
        throw new IllegalArgumentException(
            "key record of version " + version + "; this program knows 1");
      }
      byte code = in.get();
      Kind kind =
          Arrays.stream(Kind.values())
              .filter(each -> each.code == code)
              .findFirst()
              .orElseThrow(
                  () -> new IllegalArgumentException("key record of unknown kind " + code));
      UUID id = new UUID(in.getLong(), in.getLong());
      byte[] parent = new byte[PARENT_BYTES];
      in.get(parent);
      byte[] wrapped = new byte[Short.toUnsignedInt(in.getShort())];
      in.get(wrapped);
      byte[] label = new byte[Short.toUnsignedInt(in.getShort())];
      in.get(label);
      if (in.hasRemaining()) {
        throw new IllegalArgumentException("key record has more than it says");
      }
      return new KeyRecord(kind, id, parent, wrapped, label);
    } catch (java.nio.BufferUnderflowException e) {
      throw new IllegalArgumentException("key record is cut short", e);
    }
  }
}
