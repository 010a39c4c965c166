package net.postern.submission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Remembers which passwords were right, for some minutes, so that a client that logs in for each
 * message does not cost an Argon2id each time; and which were wrong, until nobody has tried them
 * for a day, so that a program that repeats an old one is not taken for one that guesses. What is
 * kept is an HMAC of stored hash and password under a key that only this process has, never the
 * password; another password makes another hash and so another entry. Safe for many threads.
 */
final class Checked {
  private static final Duration RIGHT = Duration.ofMinutes(5);

  /** As long as a wrong password counts, see {@link GuessThrottle}. */
  private static final Duration WRONG = Duration.ofDays(1);

  /** Of either kind. */
  private static final int CACHED = 50_000;

  private static final int KEY = 32;

  private final SecretKeySpec key;
  private final Cache<String, Boolean> right;
  private final Cache<String, Boolean> wrong;

  Checked(Ticker ticker) {
    right =
        Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(RIGHT).ticker(ticker).build();
    wrong =
        Caffeine.newBuilder().maximumSize(CACHED).expireAfterAccess(WRONG).ticker(ticker).build();
    byte[] random = new byte[KEY];
    new SecureRandom().nextBytes(random);
    key = new SecretKeySpec(random, "HmacSHA256");
  }

  Optional<Boolean> ask(String hash, String password) {
    String asked = of(hash, password);
    return Optional.ofNullable(right.getIfPresent(asked))
        .or(() -> Optional.ofNullable(wrong.getIfPresent(asked)));
  }

  void remember(String hash, String password, boolean isRight) {
    (isRight ? right : wrong).put(of(hash, password), isRight);
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
