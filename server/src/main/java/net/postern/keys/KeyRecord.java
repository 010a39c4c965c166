package net.postern.keys;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.Parcel;

/**
 * A wrapped key as it is kept in the stores: the content of parcel {@code keys/ID}.
 *
 * <p>Layout, big-endian: {@code "PKEY"}, version (1 byte, 2), kind (1 byte), id (16), parent (16),
 * generation (8), purpose (1 byte), length of what is sealed (2), that, length of the sealed label
 * (2), sealed label. The parent of a mailbox key is its customer; that of any other is the
 * {@linkplain MasterKey#id() master key's id}, 16 hexadecimal digits as ASCII.
 *
 * <p>Key and label are sealed under the parent. The context of a seal are the bytes before the
 * first length, with the seal's own {@link Purpose}: so no record passes for another key's, none
 * for one of another generation, and no seal of a record for another one of it.
 *
 * <p>A <em>tombstone</em> is the record of a key that was erased: in place of the key the time of
 * it is sealed (8 bytes, milliseconds since 1970), there is no label, and its generation is higher
 * than that of any key. It is sealed so that nobody who can only write to a store can make one.
 *
 * <p>Version 1 has neither generation nor purpose, and both its seals have the first 38 bytes as
 * context. It is read as the first record of a key alone, never as a tombstone, and only when what
 * is in the place of the label is text: nothing else of version 1 can be told from a forgery.
 *
 * @param version of the layout, 1 or 2
 * @param generation the parcel's
 * @param purpose of {@code wrapped}: a key or a tombstone
 * @param label what the key is for, sealed: the customer's name or the mailbox's address
 */
record KeyRecord(
    byte version,
    Kind kind,
    UUID id,
    byte[] parent,
    long generation,
    Purpose purpose,
    byte[] wrapped,
    byte[] label) {
  static final int PARENT_BYTES = 16;

  /** Of a tombstone, or more; a key's is always less, so nothing brings one back. */
  static final long TOMBSTONE_GENERATION = 1L << 62;

  private static final int KEY_SEALED = Aead.KEY_BYTES + Aead.OVERHEAD;
  private static final int TOMBSTONE_SEALED = Long.BYTES + Aead.OVERHEAD;
  private static final int MAGIC = 0x504b4559;
  private static final byte FIRST_VERSION = 1;
  private static final byte VERSION = 2;

  /** What a text is sealed as. The codes are stored: never renumber. */
  enum Purpose {
    KEY(1),
    LABEL(2),
    TOMBSTONE(3);

    final byte code;

    Purpose(int code) {
      this.code = (byte) code;
    }
  }

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

  static byte[] parent(UUID customer) {
    return ByteBuffer.allocate(PARENT_BYTES)
        .putLong(customer.getMostSignificantBits())
        .putLong(customer.getLeastSignificantBits())
        .array();
  }

  static byte[] parent(MasterKey master) {
    return master.id().getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Seals a key and its label under the one above it.
   *
   * @param generation at least 1, and less than {@link #TOMBSTONE_GENERATION}
   */
  static KeyRecord seal(
      Kind kind,
      UUID id,
      byte[] parent,
      long generation,
      SecretKeySpec above,
      byte[] key,
      byte[] label) {
    if (generation < 1 || generation >= TOMBSTONE_GENERATION) {
      throw new IllegalArgumentException("no generation of a key: " + generation);
    }
    return new KeyRecord(
        VERSION,
        kind,
        id,
        parent,
        generation,
        Purpose.KEY,
        Aead.seal(above, context(kind, id, parent, generation, Purpose.KEY), key),
        Aead.seal(above, context(kind, id, parent, generation, Purpose.LABEL), label));
  }

  /**
   * Seals the record that takes the place of an erased key's.
   *
   * @param generation {@link #TOMBSTONE_GENERATION} at least
   */
  static KeyRecord tombstone(
      Kind kind, UUID id, byte[] parent, long generation, SecretKeySpec above, Instant erased) {
    if (generation < TOMBSTONE_GENERATION) {
      throw new IllegalArgumentException("no generation of a tombstone: " + generation);
    }
    byte[] time = ByteBuffer.allocate(Long.BYTES).putLong(erased.toEpochMilli()).array();
    return new KeyRecord(
        VERSION,
        kind,
        id,
        parent,
        generation,
        Purpose.TOMBSTONE,
        Aead.seal(above, context(kind, id, parent, generation, Purpose.TOMBSTONE), time),
        new byte[0]);
  }

  /**
   * The key.
   *
   * @param above the parent's
   * @throws UntrustedKeyException when it is none that was sealed as this
   */
  byte[] key(SecretKeySpec above) throws UntrustedKeyException {
    if (isTombstone()) {
      throw new UntrustedKeyException("a tombstone has no key: " + id);
    }
    if (version == FIRST_VERSION) {
      // Its label's seal may have been put in the place of the key's, which then stands in the
      // label's or nowhere: 32 random bytes are no text.
      byte[] _ = label(above);
      if (Arrays.equals(wrapped, label)) {
        throw new UntrustedKeyException("key " + id + " is forged: its label is in its place");
      }
    }
    return open(above, Purpose.KEY, wrapped);
  }

  /**
   * The label.
   *
   * @param above the parent's
   * @throws UntrustedKeyException when it is none that was sealed as this
   */
  byte[] label(SecretKeySpec above) throws UntrustedKeyException {
    byte[] text = open(above, Purpose.LABEL, label);
    try {
      CharBuffer _ = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
    } catch (CharacterCodingException e) {
      throw new UntrustedKeyException("the label of key " + id + " is forged: it is no text", e);
    }
    return text;
  }

  /**
   * When the key was erased.
   *
   * @param above the parent's
   * @throws UntrustedKeyException when that was not sealed as a tombstone
   */
  Instant erasedAt(SecretKeySpec above) throws UntrustedKeyException {
    return Instant.ofEpochMilli(ByteBuffer.wrap(open(above, Purpose.TOMBSTONE, wrapped)).getLong());
  }

  private byte[] open(SecretKeySpec above, Purpose as, byte[] sealed) throws UntrustedKeyException {
    byte[] context =
        version == FIRST_VERSION
            ? firstContext(kind, id, parent)
            : context(kind, id, parent, generation, as);
    try {
      return Aead.open(above, context, sealed);
    } catch (GeneralSecurityException e) {
      throw new UntrustedKeyException(
          "the %s of key %s does not open: damaged or foreign"
              .formatted(as.name().toLowerCase(Locale.ROOT), id),
          e);
    }
  }

  // The bytes that bind a sealed text to this record, generation and purpose.
  private static byte[] context(
      Kind kind, UUID id, byte[] parent, long generation, Purpose purpose) {
    return head(VERSION, kind, id, parent, Long.BYTES + 1)
        .putLong(generation)
        .put(purpose.code)
        .array();
  }

  private static byte[] firstContext(Kind kind, UUID id, byte[] parent) {
    return head(FIRST_VERSION, kind, id, parent, 0).array();
  }

  private static ByteBuffer head(byte version, Kind kind, UUID id, byte[] parent, int more) {
    return ByteBuffer.allocate(6 + 16 + PARENT_BYTES + more)
        .putInt(MAGIC)
        .put(version)
        .put(kind.code)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .put(parent);
  }

  boolean isTombstone() {
    return purpose == Purpose.TOMBSTONE;
  }

  /** Whether it is of a version that is read but not written any more. */
  boolean isOld() {
    return version != VERSION;
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

  /** Whether a parcel says that it holds a record of an old version. */
  static boolean isOld(Parcel parcel) {
    byte[] content = parcel.content();
    return content.length > Integer.BYTES && content[Integer.BYTES] == FIRST_VERSION;
  }

  /** The object's content and generation. */
  Parcel parcel() {
    return new Parcel(generation, encode());
  }

  private byte[] encode() {
    byte[] head =
        isOld() ? firstContext(kind, id, parent) : context(kind, id, parent, generation, purpose);
    return ByteBuffer.allocate(head.length + 4 + wrapped.length + label.length)
        .put(head)
        .putShort((short) wrapped.length)
        .put(wrapped)
        .putShort((short) label.length)
        .put(label)
        .array();
  }

  /**
   * Reads the record of a key from its parcel. Says nothing of whether it can be trusted: for that
   * it is to be opened.
   *
   * @throws UntrustedKeyException when it holds none, or another key's, or one of another
   *     generation than the parcel's
   */
  static KeyRecord decode(UUID id, Parcel parcel) throws UntrustedKeyException {
    KeyRecord record;
    try {
      record = decode(parcel.content());
    } catch (IllegalArgumentException e) {
      throw new UntrustedKeyException("key " + id + " is damaged: " + e.getMessage(), e);
    }
    if (!record.id().equals(id)) {
      throw new UntrustedKeyException("object of key " + id + " holds another key");
    }
    if (record.generation() != parcel.generation()) {
      throw new UntrustedKeyException(
          "the record of key %s is of generation %d, its object of %d"
              .formatted(id, record.generation(), parcel.generation()));
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
      if (version != FIRST_VERSION && version != VERSION) {
        throw new IllegalArgumentException(
            "key record of version " + version + "; this program knows 1 and 2");
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
      // Of version 1 only the first record of a key is known to be what it says.
      long generation = version == FIRST_VERSION ? 1 : in.getLong();
      Purpose purpose = version == FIRST_VERSION ? Purpose.KEY : purpose(in.get());
      byte[] wrapped = new byte[Short.toUnsignedInt(in.getShort())];
      in.get(wrapped);
      byte[] label = new byte[Short.toUnsignedInt(in.getShort())];
      in.get(label);
      if (in.hasRemaining()) {
        throw new IllegalArgumentException("key record has more than it says");
      }
      requireForm(generation, purpose, wrapped.length, label.length);
      return new KeyRecord(version, kind, id, parent, generation, purpose, wrapped, label);
    } catch (java.nio.BufferUnderflowException e) {
      throw new IllegalArgumentException("key record is cut short", e);
    }
  }

  private static Purpose purpose(byte code) {
    if (code == Purpose.KEY.code) {
      return Purpose.KEY;
    }
    if (code == Purpose.TOMBSTONE.code) {
      return Purpose.TOMBSTONE;
    }
    throw new IllegalArgumentException("key record of unknown purpose " + code);
  }

  private static void requireForm(long generation, Purpose purpose, int wrapped, int label) {
    boolean tombstone = purpose == Purpose.TOMBSTONE;
    if (wrapped != (tombstone ? TOMBSTONE_SEALED : KEY_SEALED) || (tombstone && label != 0)) {
      throw new IllegalArgumentException("key record of wrong lengths");
    }
    if (generation < 1 || tombstone != generation >= TOMBSTONE_GENERATION) {
      throw new IllegalArgumentException(
          "key record of a generation that no %s has: %d"
              .formatted(tombstone ? "tombstone" : "key", generation));
    }
  }
}
