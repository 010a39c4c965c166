package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;

/**
 * A small object that every store is to hold whole, such as a wrapped key, with what tells a good
 * copy from a bad one without any key.
 *
 * <pre>
 *  0  4  magic "PPCL"
 *  4  1  version, 1
 *  5  3  zero
 *  8  8  generation, at least 1
 * 16  4  length n of the content
 * 20  n  content
 *    32  SHA-256 of the object's name (ASCII) and all bytes before
 * </pre>
 *
 * <p>The name is part of the digest, so that a copy under a wrong name shows. A parcel that is
 * written again gets a higher generation: of two good copies the one with the higher generation is
 * right, and a store that was away cannot bring an old one back.
 *
 * @param generation at least 1
 */
public record Parcel(long generation, byte[] content) implements Comparable<Parcel> {

  /** The kinds of objects that are parcels. */
  public static final List<String> KINDS = List.of("keys", "journal", "settings");

  /** Most bytes of content: parcels are held in memory whole. */
  public static final int MAX_CONTENT = 64 << 20;

  private static final int MAGIC = 0x5050434c;
  private static final byte VERSION = 1;
  private static final int HEAD = 20;
  private static final int DIGEST = 32;

  /** Most bytes of a whole object. */
  public static final int MAX_BYTES = HEAD + MAX_CONTENT + DIGEST;

  public Parcel {
    if (generation < 1 || content.length > MAX_CONTENT) {
      throw new IllegalArgumentException(
          "no parcel: generation %d, %d bytes".formatted(generation, content.length));
    }
  }

  /** The bytes of the object. */
  public byte[] encode(String object) {
    ByteBuffer out = ByteBuffer.allocate(HEAD + content.length + DIGEST);
    out.putInt(MAGIC).put(VERSION).position(8);
    out.putLong(generation).putInt(content.length).put(content);
    return out.put(digest(object, out.array(), out.position())).array();
  }

  /**
   * Reads an object.
   *
   * @throws IOException when it is damaged, holds another object, or is of a version that this
   *     program does not know
   */
  public static Parcel decode(String object, byte[] bytes) throws IOException {
    if (bytes.length < HEAD + DIGEST) {
      throw new IOException(object + " is cut short: " + bytes.length + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (in.getInt() != MAGIC) {
      throw new IOException(object + " is no parcel");
    }
    byte version = in.get();
    if (version != VERSION) {
      throw new IOException("%s is of version %d; this program knows 1".formatted(object, version));
    }
    in.position(8);
    long generation = in.getLong();
    int length = in.getInt();
    if (length != bytes.length - HEAD - DIGEST || generation < 1 || length > MAX_CONTENT) {
      throw new IOException(object + " is damaged: its length is wrong");
    }
    if (!MessageDigest.isEqual(
        digest(object, bytes, HEAD + length),
        Arrays.copyOfRange(bytes, HEAD + length, bytes.length))) {
      throw new IOException(object + " is damaged: its digest does not match");
    }
    return new Parcel(generation, Arrays.copyOfRange(bytes, HEAD, HEAD + length));
  }

  /** Whether bytes begin as those of a parcel do. */
  public static boolean beginsLikeOne(byte[] bytes) {
    return bytes.length >= Integer.BYTES && ByteBuffer.wrap(bytes).getInt() == MAGIC;
  }

  /**
   * Orders by generation; two of one generation, as two processes may write at once, by their
   * bytes, so that every store ends with the same.
   */
  @Override
  public int compareTo(Parcel other) {
    int order = Long.compare(generation, other.generation);
    return order != 0 ? order : Arrays.compare(content, other.content);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Parcel parcel && compareTo(parcel) == 0;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(generation) * 31 + Arrays.hashCode(content);
  }

  private static byte[] digest(String object, byte[] bytes, int length) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(object.getBytes(StandardCharsets.US_ASCII));
      sha.update(bytes, 0, length);
      return sha.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing from this Java runtime", e);
    }
  }
}
