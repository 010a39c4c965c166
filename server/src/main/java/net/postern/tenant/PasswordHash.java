package net.postern.tenant;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/**
 * Argon2id (RFC 9106), in the usual written form {@code
 * $argon2id$v=19$m=KIB,t=PASSES,p=1$salt$hash}: a hash says itself how it is to be checked, so that
 * what is asked of new ones may grow.
 *
 * @param memoryKib memory of one check, in KiB; 19,456 (19 MiB) at least is asked for by OWASP
 * @param passes over that memory, at least 1
 */
public record PasswordHash(int memoryKib, int passes) {
  private static final int SALT = 16;
  private static final int LENGTH = 32;

  /** Bounds on what a stored hash may ask of us: 1 GiB. */
  private static final int MAX_KIB = 1 << 20;

  private static final int MAX_PASSES = 100;

  private static final Pattern FORM =
      Pattern.compile(
          "\\$argon2id\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,2})\\$([A-Za-z0-9+/]{11,86})\\$([A-Za-z0-9+/]{22,86})");

  private static final SecureRandom RANDOM = new SecureRandom();

  public PasswordHash {
    if (memoryKib < 8 || memoryKib > MAX_KIB || passes < 1 || passes > MAX_PASSES) {
      throw new IllegalArgumentException(
          "no parameters for Argon2id: " + memoryKib + ", " + passes);
    }
  }

  /**
   * Hashes a password with a new salt.
   *
   * @param password prepared, see {@link net.postern.sasl.Saslprep}
   */
  public String of(String password) {
    byte[] salt = new byte[SALT];
    RANDOM.nextBytes(salt);
    byte[] hash = argon2(password, salt, memoryKib, passes, 1, LENGTH);
    Base64.Encoder encoder = Base64.getEncoder().withoutPadding();
    return "$argon2id$v=19$m=%d,t=%d,p=1$%s$%s"
        .formatted(memoryKib, passes, encoder.encodeToString(salt), encoder.encodeToString(hash));
  }

  /**
   * Whether a password is the one that was hashed. Takes the memory and time that the hash asks
   * for, whatever the password.
   *
   * @throws IllegalArgumentException when the hash has another form or is over the bounds
   */
  public static boolean fits(String hash, String password) {
    Matcher form = FORM.matcher(hash);
    if (!form.matches()) {
      throw new IllegalArgumentException("no Argon2id hash");
    }
    int memory = Integer.parseInt(form.group(1));
    int passes = Integer.parseInt(form.group(2));
    int lanes = Integer.parseInt(form.group(3));
    if (memory > MAX_KIB || passes < 1 || passes > MAX_PASSES || lanes < 1 || memory < 8 * lanes) {
      throw new IllegalArgumentException("an Argon2id hash asks for too much");
    }
    byte[] expected = Base64.getDecoder().decode(form.group(5));
    byte[] got =
        argon2(
            password,
            Base64.getDecoder().decode(form.group(4)),
            memory,
            passes,
            lanes,
            expected.length);
    return MessageDigest.isEqual(expected, got);
  }

  private static byte[] argon2(
      String password, byte[] salt, int memoryKib, int passes, int lanes, int length) {
    Argon2BytesGenerator generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withSalt(salt)
            .withMemoryAsKB(memoryKib)
            .withIterations(passes)
            .withParallelism(lanes)
            .build());
    byte[] hash = new byte[length];
    generator.generateBytes(password.getBytes(StandardCharsets.UTF_8), hash);
    return hash;
  }
}
