package net.postern.ledger;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;

/**
 * Entries of the journal to the content of a parcel and back: sealed under the system's key with
 * the object's name as context.
 *
 * <pre>
 *  0  4  magic "PJNL"
 *  4  1  version, 1
 *  5  3  zero
 *  8  4  number of entries
 * 12     entries:
 *         0  8  number            44  8  since, ms since 1970
 *         8 16  customer          52  8  give up at, ms since 1970
 *        24 16  message           60  2  attempts
 *        40  2  recipient         62  2  length r of the rule
 *        42  1  state             64  r  rule, UTF-8
 *        43  1  zero
 * </pre>
 */
final class JournalCodec {
  /** The kind of the objects. */
  static final String KIND = "journal";

  private static final int MAGIC = 0x504a4e4c;
  private static final byte VERSION = 1;
  private static final int HEAD = 12;
  private static final int ENTRY = 64;

  /** Longest rule that is kept, in bytes. */
  private static final int MAX_RULE = 1_000;

  private final KeyRing keys;

  JournalCodec(KeyRing keys) {
    this.keys = keys;
  }

  /**
   * @param object the name of the object that is to hold them
   * @throws IOException when the system's key cannot be had
   */
  byte[] encode(String object, List<JournalEntry> entries) throws IOException {
    List<byte[]> rules = new ArrayList<>(entries.size());
    int size = HEAD;
    for (JournalEntry each : entries) {
      byte[] rule = each.rule().getBytes(StandardCharsets.UTF_8);
      rules.add(rule.length <= MAX_RULE ? rule : java.util.Arrays.copyOf(rule, MAX_RULE));
      size += ENTRY + rules.getLast().length;
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.putInt(MAGIC).put(VERSION).position(8).putInt(entries.size());
    for (int i = 0; i < entries.size(); i++) {
      JournalEntry each = entries.get(i);
      out.putLong(each.number());
      putId(out, each.delivery().customer().value());
      putId(out, each.delivery().message().value());
      out.putShort((short) each.delivery().number());
      out.put((byte) each.state().code()).put((byte) 0);
      out.putLong(each.since().toEpochMilli()).putLong(each.giveUpAt().toEpochMilli());
      out.putShort((short) each.attempts());
      out.putShort((short) rules.get(i).length).put(rules.get(i));
    }
    return Aead.seal(keys.systemKey(), context(object), out.array());
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IOException when it is something else, or the system's key cannot be had
   */
  List<JournalEntry> decode(String object, byte[] content) throws IOException {
    try {
      ByteBuffer in = ByteBuffer.wrap(Aead.open(keys.systemKey(), context(object), content));
      if (in.getInt() != MAGIC) {
        throw new IOException(object + " holds no journal");
      }
      byte version = in.get();
      if (version != VERSION) {
        throw new IOException(
            "%s is a journal of version %d; this program knows 1".formatted(object, version));
      }
      int count = in.position(8).getInt();
      List<JournalEntry> entries = new ArrayList<>(Math.min(count, in.remaining() / ENTRY));
      for (int i = 0; i < count; i++) {
        entries.add(entry(in));
      }
      return entries;
    } catch (GeneralSecurityException e) {
      throw new IOException(object + " does not open with the system's key", e);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new IOException(object + " is damaged: " + e.getMessage(), e);
    }
  }

  private static JournalEntry entry(ByteBuffer in) {
    long number = in.getLong();
    CustomerId customer = new CustomerId(new UUID(in.getLong(), in.getLong()));
    MessageId message = new MessageId(new UUID(in.getLong(), in.getLong()));
    DeliveryKey key = new DeliveryKey(customer, message, Short.toUnsignedInt(in.getShort()));
    DeliveryState state = DeliveryState.of(in.getShort() >>> 8);
    Instant since = Instant.ofEpochMilli(in.getLong());
    Instant giveUpAt = Instant.ofEpochMilli(in.getLong());
    int attempts = Short.toUnsignedInt(in.getShort());
    byte[] rule = new byte[Short.toUnsignedInt(in.getShort())];
    in.get(rule);
    return new JournalEntry(
        number, key, state, since, giveUpAt, attempts, new String(rule, StandardCharsets.UTF_8));
  }

  private static byte[] context(String object) {
    return object.getBytes(StandardCharsets.US_ASCII);
  }

  private static void putId(ByteBuffer out, UUID id) {
    out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
  }
}
