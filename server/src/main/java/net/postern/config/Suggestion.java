package net.postern.config;

import java.util.Collection;
import java.util.Optional;

/** Finds the name that someone probably meant. */
final class Suggestion {
  // Two slips in a short name, one in three letters of a long one: more is another word.
  private static final int MIN_SLIPS = 2;
  private static final int LETTERS_PER_SLIP = 3;

  // The distance is quadratic in length; no real key comes near.
  private static final int MAX_LENGTH = 64;

  private Suggestion() {}

  /** The nearest of the known names; empty when none is near. */
  static Optional<String> nearest(String typed, Collection<String> known) {
    if (typed.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    String name = ConfigSchema.snakeCase(typed.replace('-', '_'));
    String best = "";
    int least = Math.max(MIN_SLIPS, name.length() / LETTERS_PER_SLIP) + 1;
    for (String candidate : known) {
      int distance = distance(name, candidate);
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    return best.isEmpty() ? Optional.empty() : Optional.of(best);
  }

  // Optimal string alignment: Levenshtein's distance with a swap of neighbours counted as one.
  private static int distance(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      cost[i][0] = i;
    }
    for (int j = 0; j <= b.length(); j++) {
      cost[0][j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      for (int j = 1; j <= b.length(); j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        int least =
            Math.min(cost[i - 1][j - 1] + change, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          least = Math.min(least, cost[i - 2][j - 2] + 1);
        }
        cost[i][j] = least;
      }
    }
    return cost[a.length()][b.length()];
  }
}
