package net.postern.keys;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.Parcel;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/** Key records of version 1, which the program reads and does not write any more. */
public final class FirstRecords {
  private FirstRecords() {}

  /** A customer's, as it was made first. */
  public static Parcel customer(MasterKey master, CustomerId id, byte[] key, String label) {
    byte[] head = head(1, id.value(), master.id().getBytes(StandardCharsets.US_ASCII));
    return new Parcel(1, content(head, seal(master.key(), head, key), label(master, head, label)));
  }

  /** A mailbox's, as it was made first. */
  public static Parcel mailbox(
      SecretKeySpec above, CustomerId customer, MailboxId id, byte[] key, String label) {
    byte[] head = mailboxHead(customer, id);
    byte[] sealed = seal(above, head, label.getBytes(StandardCharsets.UTF_8));
    return new Parcel(1, content(head, seal(above, head, key), sealed));
  }

  /** Puts what is sealed in a record of a mailbox together in another way. */
  static byte[] content(byte[] head, byte[] wrapped, byte[] label) {
    return ByteBuffer.allocate(head.length + 4 + wrapped.length + label.length)
        .put(head)
        .putShort((short) wrapped.length)
        .put(wrapped)
        .putShort((short) label.length)
        .put(label)
        .array();
  }

  static byte[] mailboxHead(CustomerId customer, MailboxId id) {
    byte[] parent =
        ByteBuffer.allocate(16)
            .putLong(customer.value().getMostSignificantBits())
            .putLong(customer.value().getLeastSignificantBits())
            .array();
    return head(2, id.value(), parent);
  }

  private static byte[] head(int kind, UUID id, byte[] parent) {
    return ByteBuffer.allocate(38)
        .put("PKEY".getBytes(StandardCharsets.US_ASCII))
        .put((byte) 1)
        .put((byte) kind)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .put(parent)
        .array();
  }

  private static byte[] label(MasterKey master, byte[] head, String label) {
    return seal(master.key(), head, label.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] seal(SecretKeySpec above, byte[] head, byte[] text) {
    return Aead.seal(above, head, text);
  }
}
