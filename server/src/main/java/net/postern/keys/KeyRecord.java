package net.postern.keys;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.Parcel;

/**
 * A wrapped key as it is kept in the stores: the content of parcel {@code keys/ID}.
 *
 * <p>Layout, big-endian: {@code "PKEY"}, version (1 byte, 1), kind (1 byte), id (16), parent (16),
 * length of the wrapped key (2), wrapped key, length of the sealed label (2), sealed label. The
 * parent of a mailbox key is its customer; that of any other is the {@linkplain MasterKey#id()
 * master key's id}, 16 hexadecimal digits as ASCII. Key and label are sealed under the parent with
 * the bytes before the first length as context, so that a record cannot be passed off for another.
 *
 * <p>A <em>tombstone</em> is the record of a key that was erased: in place of the key the time of
 * it is sealed (8 bytes, milliseconds since 1970), there is no label, and its generation is the
 * highest there can be. It is sealed so that nobody who can only write to a store can make one.
 *
 * @param label what the key is for, sealed: the customer's name or the mailbox's address
 */
record KeyRecord(Kind kind, UUID id, byte[] parent, byte[] wrapped, byte[] label) {
  static final int PARENT_BYTES = 16;

  /** Of a tombstone, or more: no key ever gets there, so nothing brings one back. */
  static final long TOMBSTONE_GENERATION = 1L << 62;

  private static final int TOMBSTONE_BYTES = Long.BYTES + Aead.OVERHEAD;
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

  static final String KIND = "keys";

  static String object(UUID id) {
    return KIND + "/" + id;
  }

  /** The key whose record an object holds; empty when its name is none. */
  static Optional<UUID> id(String object) {
    String name = object.substring(object.indexOf('/') + 1);
    try {
      UUID id = UUID.fromString(name);
      return id.toString().equals(name) ? Optional.of(id) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
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

  /** Seals a key and its label under the one above it. */
  static KeyRecord seal(
      Kind kind, UUID id, byte[] parent, SecretKeySpec above, byte[] key, byte[] label) {
    byte[] context = context(kind, id, parent);
    return new KeyRecord(
        kind, id, parent, Aead.seal(above, context, key), Aead.seal(above, context, label));
  }

  byte[] context() {
    return context(kind, id, parent);
  }

  /** The record that takes the place of this one when its key is erased. */
  KeyRecord tombstone(SecretKeySpec above, Instant now) {
    byte[] time = ByteBuffer.allocate(Long.BYTES).putLong(now.toEpochMilli()).array();
    return new KeyRecord(kind, id, parent, Aead.seal(above, context(), time), new byte[0]);
  }

  boolean isTombstone() {
    return wrapped.length == TOMBSTONE_BYTES;
  }

  /** Whether the master key wraps it, and not a customer's. */
  boolean underMaster() {
    return kind != Kind.MAILBOX;
  }

  /** Of a record that is {@link #underMaster}: which master key. */
  String masterId() {
    return new String(parent, StandardCharsets.US_ASCII);
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
   * Reads the record of a key from its parcel.
   *
   * @throws IOException when it holds none, or another key's
   */
  static KeyRecord decode(UUID id, Parcel parcel) throws IOException {
    KeyRecord record;
    try {
      record = decode(parcel.content());
    } catch (IllegalArgumentException e) {
      throw new IOException("key " + id + " is damaged: " + e.getMessage(), e);
    }
    if (!record.id().equals(id)) {
      throw new IOException("object of key " + id + " holds another key");
    }
    return record;
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
