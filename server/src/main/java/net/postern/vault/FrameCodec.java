package net.postern.vault;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyErasedException;
import net.postern.keys.KeyRing;

/**
 * Messages to frames and back. The layout outlives this program, so a change of it is a new
 * version, never an edit.
 *
 * <pre>
 *  0  4  magic "PFRM"            16  4  content length
 *  4  1  version                 20 16  message id
 *  5  1  codec (0 as it is)      36 12  nonce
 *  6  2  number of holders n     48 76n holder: mailbox id 16, wrapped message key 60
 *  8  4  frame length               .. cipher text of meta and content, tag 16
 * 12  4  meta length                32 SHA-256 of all bytes before
 * </pre>
 */
final class FrameCodec {
  static final int MAGIC = 0x5046524d;
  static final byte VERSION = 1;

  /** Bytes up to the holders. */
  static final int FIXED = 48;

  static final int HOLDER = 16 + Aead.KEY_BYTES + Aead.OVERHEAD;
  static final int DIGEST = 32;
  private static final int NONCE_AT = 36;

  /** Length of the smallest frame there can be. */
  static final int MIN_FRAME = FIXED + HOLDER + Aead.TAG_BYTES + DIGEST;

  /**
   * The clear part of a frame.
   *
   * @param length bytes of the whole frame
   */
  record Header(MessageId id, int length, int holders, int metaLength, int contentLength) {}

  private final KeyRing keys;

  FrameCodec(KeyRing keys) {
    this.keys = keys;
  }

  /**
   * Encrypts a message under a fresh key, and that key under each holder's.
   *
   * @throws IOException when a holder's key cannot be had
   */
  byte[] encode(MessageFrame frame) throws IOException {
    int holders = frame.holders().size();
    if (holders > 0xffff) {
      throw new IllegalArgumentException("more holders than a frame can name: " + holders);
    }
    int clear = FIXED + HOLDER * holders;
    int length =
        Math.toIntExact(
            (long) clear + frame.meta().length + frame.content().length + Aead.TAG_BYTES + DIGEST);
    byte[] key = Aead.random(Aead.KEY_BYTES);
    ByteBuffer out = ByteBuffer.allocate(length);
    out.putInt(MAGIC).put(VERSION).put((byte) 0).putShort((short) holders);
    out.putInt(length).putInt(frame.meta().length).putInt(frame.content().length);
    putId(out, frame.id().value());
    out.put(Aead.random(Aead.NONCE_BYTES));
    for (MessageFrame.Holder holder : frame.holders()) {
      SecretKeySpec above = keys.mailboxKey(holder.mailbox()).key();
      putId(out, holder.mailbox().value());
      out.put(Aead.seal(above, wrapContext(frame.id(), holder.mailbox()), key));
    }
    byte[] bytes = out.array();
    try {
      Cipher cipher = Aead.cipher(Cipher.ENCRYPT_MODE, Aead.key(key), bytes, NONCE_AT);
      cipher.updateAAD(bytes, 0, clear);
      int at = clear + cipher.update(frame.meta(), 0, frame.meta().length, bytes, clear);
      cipher.doFinal(frame.content(), 0, frame.content().length, bytes, at);
      MessageDigest sha = sha256();
      sha.update(bytes, 0, length - DIGEST);
      sha.digest(bytes, length - DIGEST, DIGEST);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-256-GCM is missing from this Java runtime", e);
    }
    return bytes;
  }

  /**
   * Checks and decrypts a frame with the first holder's key that can be had.
   *
   * @throws ErasedException when every holder's key was erased
   * @throws IOException when the bytes are not a whole, undamaged frame, or no holder's key can be
   *     had now
   */
  MessageFrame decode(byte[] bytes) throws IOException {
    Header header = verify(bytes);
    ByteBuffer in = ByteBuffer.wrap(bytes, FIXED, HOLDER * header.holders());
    List<MessageFrame.Holder> holders = new ArrayList<>();
    byte[] key = new byte[0];
    int erased = 0;
    IOException noKey =
        new IOException("no key of a mailbox that holds " + header.id() + " is left");
    for (int i = 0; i < header.holders(); i++) {
      MailboxId mailbox = new MailboxId(new UUID(in.getLong(), in.getLong()));
      byte[] wrapped = new byte[HOLDER - 16];
      in.get(wrapped);
      try {
        KeyRing.MailboxKey above = keys.mailboxKey(mailbox);
        holders.add(new MessageFrame.Holder(above.customer(), mailbox));
        if (key.length == 0) {
          key = Aead.open(above.key(), wrapContext(header.id(), mailbox), wrapped);
        }
      } catch (KeyErasedException e) {
        erased++;
        noKey.addSuppressed(e);
      } catch (IOException e) {
        noKey.addSuppressed(e);
      } catch (GeneralSecurityException e) {
        noKey.addSuppressed(new IOException("key wrapped for " + mailbox + " does not open", e));
      }
    }
    if (erased == header.holders()) {
      throw new ErasedException(
          "message %s was erased: no mailbox that held it has a key any more"
              .formatted(header.id()));
    }
    if (key.length == 0) {
      throw noKey;
    }
    int clear = FIXED + HOLDER * header.holders();
    try {
      Cipher cipher = Aead.cipher(Cipher.DECRYPT_MODE, Aead.key(key), bytes, NONCE_AT);
      cipher.updateAAD(bytes, 0, clear);
      byte[] text = cipher.doFinal(bytes, clear, bytes.length - DIGEST - clear);
      return new MessageFrame(
          header.id(),
          holders,
          Arrays.copyOf(text, header.metaLength()),
          Arrays.copyOfRange(text, header.metaLength(), text.length));
    } catch (GeneralSecurityException e) {
      throw new IOException("frame of " + header.id() + " does not decrypt", e);
    }
  }

  /**
   * Checks a frame's form and digest; needs no key.
   *
   * @param bytes exactly one frame
   * @throws IOException when it is not whole and undamaged
   */
  static Header verify(byte[] bytes) throws IOException {
    Header header = header(bytes);
    if (header.length() != bytes.length) {
      throw new IOException(
          "frame of %d bytes where %d were expected".formatted(header.length(), bytes.length));
    }
    MessageDigest sha = sha256();
    sha.update(bytes, 0, bytes.length - DIGEST);
    if (!MessageDigest.isEqual(
        sha.digest(), Arrays.copyOfRange(bytes, bytes.length - DIGEST, bytes.length))) {
      throw new IOException("frame of " + header.id() + " is damaged: its digest does not match");
    }
    return header;
  }

  /**
   * Reads the clear part.
   *
   * @param bytes at least the first {@link #FIXED} bytes of a frame
   * @throws IOException when they are none, or of a version that this program does not know
   */
  static Header header(byte[] bytes) throws IOException {
    try {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      if (in.getInt() != MAGIC) {
        throw new IOException("no frame begins here");
      }
      byte version = in.get();
      byte codec = in.get();
      if (version != VERSION || codec != 0) {
        throw new IOException(
            "frame of version %d, codec %d; this program knows 1 and 0".formatted(version, codec));
      }
      int holders = Short.toUnsignedInt(in.getShort());
      int length = in.getInt();
      int meta = in.getInt();
      int content = in.getInt();
      MessageId id = new MessageId(new UUID(in.getLong(), in.getLong()));
      long expected =
          FIXED + (long) HOLDER * holders + (long) meta + content + Aead.TAG_BYTES + DIGEST;
      if (holders == 0 || meta < 0 || content < 0 || expected != length) {
        throw new IOException("frame header is damaged: its lengths do not add up");
      }
      return new Header(id, length, holders, meta, content);
    } catch (BufferUnderflowException e) {
      throw new IOException("frame header is cut short", e);
    }
  }

  private static byte[] wrapContext(MessageId message, MailboxId mailbox) {
    ByteBuffer context = ByteBuffer.allocate(32);
    putId(context, message.value());
    putId(context, mailbox.value());
    return context.array();
  }

  private static void putId(ByteBuffer out, UUID id) {
    out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing from this Java runtime", e);
    }
  }
}
