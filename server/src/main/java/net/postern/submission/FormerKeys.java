package net.postern.submission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.postern.id.MailboxId;
import net.postern.sasl.ScramKeys;

/**
 * Remembers the keys for SCRAM that users had, until nobody has asked for the user for a day. A
 * proof by SCRAM is another one each time, so that the same wrong password again cannot be told
 * from a new one; but one that was right before can be, for the salt stays when a password changes.
 * Only this process has them: after a start each counts as any wrong password does. Safe for many
 * threads.
 */
final class FormerKeys {
  private static final Duration LIFE = Duration.ofDays(1);
  private static final int CACHED = 50_000;

  /** Former ones of one user; each costs a proof two hashes. */
  private static final int MOST = 10;

  private final Cache<MailboxId, List<ScramKeys>> seen;

  FormerKeys(Ticker ticker) {
    seen = Caffeine.newBuilder().maximumSize(CACHED).expireAfterAccess(LIFE).ticker(ticker).build();
  }

  /**
   * The newest of the keys that this user had, with the same salt.
   *
   * @param now those that the user has, at least one
   */
  List<ScramKeys> of(MailboxId user, List<ScramKeys> now) {
    List<ScramKeys> all =
        seen.asMap()
            .merge(
                user,
                List.copyOf(now),
                (before, _) -> {
                  List<ScramKeys> both = new ArrayList<>(now);
                  before.stream()
                      .filter(each -> isLike(each, now.getFirst()) && !isAmong(now, each))
                      .limit(MOST)
                      .forEach(both::add);
                  return List.copyOf(both);
                });
    return all.stream().filter(each -> !isAmong(now, each)).toList();
  }

  private static boolean isLike(ScramKeys a, ScramKeys b) {
    return a.iterations() == b.iterations() && Arrays.equals(a.salt(), b.salt());
  }

  private static boolean isAmong(List<ScramKeys> all, ScramKeys one) {
    return all.stream().anyMatch(each -> Arrays.equals(each.storedKey(), one.storedKey()));
  }
}
