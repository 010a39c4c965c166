package net.postern.submission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Remembers for some minutes which passwords were right or wrong, so that a client that logs in for
 * each message does not cost an Argon2id each time, and one that repeats an old password is not
 * taken for one that guesses. What is kept is an HMAC of stored hash and password under a key that
 * only this process has, never the password; another password makes another hash and so another
 * entry. Safe for many threads.
 */
final class Checked {
  private static final Duration LIFE = Duration.ofMinutes(5);
  private static final int CACHED = 50_000;
  private static final int KEY = 32;

  private final SecretKeySpec key;
  private final Cache<String, Boolean> known =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(LIFE).build();

  Checked() {
    byte[] random = new byte[KEY];
    new SecureRandom().nextBytes(random);
    key = new SecretKeySpec(random, "HmacSHA256");
  }

  Optional<Boolean> ask(String hash, String password) {
    return Optional.ofNullable(known.getIfPresent(of(hash, password)));
  }

  void remember(String hash, String password, boolean right) {
    known.put(of(hash, password), right);
  }

  private String of(String hash, String password) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      mac.update(hash.getBytes(StandardCharsets.UTF_8));
      mac.update((byte) 0);
      return HexFormat.of().formatHex(mac.doFinal(password.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has HMAC with SHA-256", e);
    }
  }
}
