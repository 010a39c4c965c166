package net.postern.vault;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Puts a whole together from copies that are all damaged. Damage in different copies is hardly ever
 * at the same byte, so the byte that most copies have is the right one; where they are even, each
 * is tried. A digest says whether the outcome is what was written.
 */
final class Vote {
  /** Most combinations that are tried. */
  private static final int TRIES = 4_096;

  /** Most bytes that are put through a digest for one outcome. */
  private static final long WORK = 256L << 20;

  private Vote() {}

  /**
   * Votes.
   *
   * @param copies of the same length; the first is not changed
   * @param good whether an outcome is right
   */
  static Optional<byte[]> among(List<byte[]> copies, Predicate<byte[]> good) {
    if (copies.size() < 2) {
      return Optional.empty();
    }
    byte[] outcome = copies.getFirst().clone();
    List<Integer> open = new ArrayList<>();
    for (int at = 0; at < outcome.length; at++) {
      if (!decide(copies, at, outcome)) {
        open.add(at);
        if (1L << open.size() > TRIES) {
          return Optional.empty();
        }
      }
    }
    // In two copies there is no majority: every mixture is tried.
    long combinations = 1;
    for (int i = 0; i < open.size(); i++) {
      combinations *= copies.size();
      if (combinations > TRIES || combinations * outcome.length > WORK) {
        return Optional.empty();
      }
    }
    for (long number = 0; number < combinations; number++) {
      long rest = number;
      for (int at : open) {
        outcome[at] = copies.get((int) (rest % copies.size()))[at];
        rest /= copies.size();
      }
      if (good.test(outcome)) {
        return Optional.of(outcome);
      }
    }
    return Optional.empty();
  }

  // Whether one value has more than half of the copies; it is put into the outcome then.
  private static boolean decide(List<byte[]> copies, int at, byte[] outcome) {
    for (byte[] candidate : copies) {
      int votes = 0;
      for (byte[] copy : copies) {
        votes += copy[at] == candidate[at] ? 1 : 0;
      }
      if (2 * votes > copies.size()) {
        outcome[at] = candidate[at];
        return true;
      }
    }
    return false;
  }
}
