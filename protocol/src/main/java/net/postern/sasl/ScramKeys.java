package net.postern.sasl;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 5803). Whoever has it can
 * play the server, and can try passwords against it, but cannot log in with it.
 *
 * @param iterations of the key derivation, at least {@value #MIN_ITERATIONS}
 * @param salt 16 bytes or so
 * @param storedKey the hash of the client's key, 32 bytes
 * @param serverKey with which the server proves itself, 32 bytes
 */
public record ScramKeys(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {
  /** RFC 7677 §4. */
  public static final int MIN_ITERATIONS = 4096;

  /** More would let a client be kept busy for minutes. */
  public static final int MAX_ITERATIONS = 1_000_000;

  static final int BYTES = 32;

  public ScramKeys {
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
      throw new IllegalArgumentException("no number of iterations for SCRAM: " + iterations);
    }
    if (salt.length == 0 || storedKey.length != BYTES || serverKey.length != BYTES) {
      throw new IllegalArgumentException("no keys for SCRAM-SHA-256");
    }
  }

  /**
   * The keys of a password.
   *
   * @param password prepared by {@link Saslprep}
   */
  public static ScramKeys of(String password, byte[] salt, int iterations) {
    byte[] salted;
    try {
      // RFC 5802 §2.2: Hi() is PBKDF2 with HMAC.
      salted =
          SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
              .generateSecret(new PBEKeySpec(password.toCharArray(), salt, iterations, 8 * BYTES))
              .getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has PBKDF2 with SHA-256", e);
    }
    return new ScramKeys(
        iterations, salt, hash(hmac(salted, "Client Key")), hmac(salted, "Server Key"));
  }

  static byte[] hmac(byte[] key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has HMAC with SHA-256", e);
    }
  }

  static byte[] hash(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  /** Never shows the keys. */
  @Override
  public String toString() {
    return "ScramKeys[" + iterations + "]";
  }
}
