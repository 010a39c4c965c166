package net.postern.source;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Hashes of 32 bits, the same on all nodes, that nobody else can foresee: who could, would ask for
 * recipients that count as one. HMAC-SHA-256 (RFC 2104), its first bytes. Safe for many threads.
 */
final class SecretHash {
  private static final String ALGORITHM = "HmacSHA256";

  // Never used itself: a copy is cheaper than a new one.
  private final Mac prototype;

  /**
   * @param key random, the same on all nodes
   */
  SecretHash(byte[] key) {
    try {
      prototype = Mac.getInstance(ALGORITHM);
      prototype.init(new SecretKeySpec(key, ALGORITHM));
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException("every Java has " + ALGORITHM, e);
    }
  }

  int of(String text) {
    try {
      Mac mac = (Mac) prototype.clone();
      return ByteBuffer.wrap(mac.doFinal(text.getBytes(StandardCharsets.UTF_8))).getInt();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(ALGORITHM + " of this Java cannot be copied", e);
    }
  }
}
