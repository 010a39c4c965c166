package net.postern.tenant;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.postern.sasl.ScramKeys;

/**
 * What is kept of a user's passwords: the user's own, and those of programs that log in for the
 * user. Any of them is right.
 *
 * @param secrets at least one; the user's own first
 */
public record Credential(Submitter user, List<Secret> secrets) {

  /**
   * One password.
   *
   * @param name what an app password is called; empty for the user's own
   * @param selector what an app password begins with; empty for the user's own
   * @param hash Argon2id, see {@link PasswordHash}
   * @param scram empty when SCRAM is not possible with this password
   */
  public record Secret(String name, String selector, String hash, Optional<ScramKeys> scram) {
    public boolean isApp() {
      return !name.isEmpty();
    }
  }

  public Credential {
    secrets = List.copyOf(secrets);
  }

  /**
   * Those that a password may be, so that few hashes have to be made: the app password that begins
   * like it, and the user's own. May be empty.
   */
  public List<Secret> candidates(String password) {
    return secrets.stream()
        .filter(each -> !each.isApp() || password.startsWith(each.selector() + '-'))
        .sorted((a, b) -> Boolean.compare(b.isApp(), a.isApp()))
        .toList();
  }

  /** Those that one dialogue of SCRAM can be about: they have the same salt and iterations. */
  public List<Secret> forScram() {
    Optional<ScramKeys> first = secrets.stream().flatMap(each -> each.scram().stream()).findFirst();
    return first.isEmpty()
        ? List.of()
        : secrets.stream()
            .filter(each -> each.scram().filter(keys -> isAlike(keys, first.get())).isPresent())
            .toList();
  }

  private static boolean isAlike(ScramKeys a, ScramKeys b) {
    return a.iterations() == b.iterations() && Arrays.equals(a.salt(), b.salt());
  }
}
