package net.postern.keys;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-256-GCM (NIST SP 800-38D) as Postern uses it: 96-bit random nonce in front, 128-bit tag
 * behind.
 */
public final class Aead {
  /** Bytes of a key. */
  public static final int KEY_BYTES = 32;

  /** Bytes of a nonce. */
  public static final int NONCE_BYTES = 12;

  /** Bytes of an authentication tag. */
  public static final int TAG_BYTES = 16;

  /** How much longer a sealed text is than what it seals. */
  public static final int OVERHEAD = NONCE_BYTES + TAG_BYTES;

  private static final SecureRandom RANDOM = new SecureRandom();

  private Aead() {}

  /** Fresh random bytes from the system's generator. */
  public static byte[] random(int bytes) {
    byte[] out = new byte[bytes];
    RANDOM.nextBytes(out);
    return out;
  }

  /** Encrypts {@code text}: nonce, cipher text, tag. */
  public static byte[] seal(SecretKeySpec key, byte[] context, byte[] text) {
    byte[] out = new byte[NONCE_BYTES + text.length + TAG_BYTES];
    byte[] nonce = random(NONCE_BYTES);
    System.arraycopy(nonce, 0, out, 0, NONCE_BYTES);
    try {
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, out, 0);
      cipher.updateAAD(context);
      cipher.doFinal(text, 0, text.length, out, NONCE_BYTES);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-256-GCM is missing from this Java runtime", e);
    }
    return out;
  }

  /**
   * Decrypts what {@link #seal} made under the same key and context.
   *
   * @throws GeneralSecurityException when key, context or text are not those that were sealed
   */
  public static byte[] open(SecretKeySpec key, byte[] context, byte[] sealed)
      throws GeneralSecurityException {
    if (sealed.length < OVERHEAD) {
      throw new GeneralSecurityException("sealed text is too short: " + sealed.length + " bytes");
    }
    Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, sealed, 0);
    cipher.updateAAD(context);
    return cipher.doFinal(sealed, NONCE_BYTES, sealed.length - NONCE_BYTES);
  }

  /** A cipher that is ready, with the nonce read from {@code source} at {@code offset}. */
  public static Cipher cipher(int mode, SecretKeySpec key, byte[] source, int offset)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * 8, source, offset, NONCE_BYTES));
    return cipher;
  }

  /** A key from its 32 bytes. */
  public static SecretKeySpec key(byte[] bytes) {
    if (bytes.length != KEY_BYTES) {
      throw new IllegalArgumentException("a key has 32 bytes, this has " + bytes.length);
    }
    return new SecretKeySpec(Arrays.copyOf(bytes, KEY_BYTES), "AES");
  }

  /**
   * A key for another purpose than the one it is made from: HMAC-SHA-256 (RFC 2104) of the label.
   * It tells nothing of the key above.
   *
   * @param label names the purpose
   */
  public static SecretKeySpec derive(SecretKeySpec above, String label) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(above);
      return key(mac.doFinal(label.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HMAC-SHA-256 is missing from this Java runtime", e);
    }
  }
}
