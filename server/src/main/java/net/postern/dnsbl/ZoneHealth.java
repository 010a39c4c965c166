package net.postern.dnsbl;

import java.time.Duration;
import java.time.Instant;
import java.util.BitSet;
import java.util.Optional;

/**
 * Whether one list can be used, and why not. A zone begins unused until its test points were looked
 * at; one that fails is benched, and looked at again when that is over. Each time without a long
 * good spell between is twice as long. Safe for many threads.
 */
final class ZoneHealth {
  /** Answers that are looked back at. */
  static final int WINDOW = 50;

  /** So many answers are needed before a share means anything. */
  static final int ENOUGH = 10;

  static final Duration FIRST_BENCH = Duration.ofMinutes(1);
  static final Duration LONGEST_BENCH = Duration.ofHours(1);

  /** After so long without trouble the next bench is short again. */
  static final Duration FORGIVEN = Duration.ofHours(6);

  static final Duration TEST_INTERVAL = Duration.ofHours(1);

  /** What is told of a zone. */
  record State(
      boolean up,
      String why,
      Instant until,
      int benches,
      long asked,
      long listed,
      long errors,
      long silent) {}

  private boolean up;
  private String why = "not tested yet";
  private Instant until = Instant.MIN;
  private Instant testAt = Instant.MIN;
  private Instant lastTrouble = Instant.MIN;
  private int benches;
  private final BitSet bad = new BitSet(WINDOW);
  private final BitSet yes = new BitSet(WINDOW);
  private int position;
  private int filled;
  private long asked;
  private long listed;
  private long errors;
  private long silent;

  synchronized boolean usable() {
    return up;
  }

  synchronized boolean testDue(Instant now) {
    return up ? !now.isBefore(testAt) : !now.isBefore(until);
  }

  /** A question was answered. */
  synchronized void answered(Instant now, boolean isListed) {
    asked++;
    listed += isListed ? 1 : 0;
    remember(false, isListed);
    // Nearly all of what comes may well be spam; but a zone that turned into one that lists
    // everything looks the same, and its test points tell.
    if (filled == WINDOW && yes.cardinality() == WINDOW) {
      testAt = now;
      forgetWindow();
    }
  }

  /**
   * A question got an answer that is an error.
   *
   * @return why it is benched now, when it is
   */
  synchronized Optional<String> error(Instant now, String reason) {
    asked++;
    errors++;
    remember(true, false);
    return trouble(now, reason);
  }

  /** A question got no answer in time. */
  synchronized Optional<String> silent(Instant now) {
    asked++;
    silent++;
    remember(true, false);
    return trouble(now, "does not answer");
  }

  private void remember(boolean wasBad, boolean wasYes) {
    bad.set(position, wasBad);
    yes.set(position, wasYes);
    position = (position + 1) % WINDOW;
    filled = Math.min(WINDOW, filled + 1);
  }

  private void forgetWindow() {
    bad.clear();
    yes.clear();
    position = 0;
    filled = 0;
  }

  private Optional<String> trouble(Instant now, String reason) {
    if (!up || filled < ENOUGH || bad.cardinality() * 2 < filled) {
      return Optional.empty();
    }
    bench(
        now, "%d of the last %d questions failed: %s".formatted(bad.cardinality(), filled, reason));
    return Optional.of(why);
  }

  /**
   * Its test points were not as they have to be.
   *
   * @return whether it was used until now
   */
  synchronized boolean failed(Instant now, String reason) {
    boolean was = up;
    bench(now, reason);
    return was;
  }

  private void bench(Instant now, String reason) {
    if (lastTrouble.isBefore(now.minus(FORGIVEN))) {
      benches = 0;
    }
    Duration wait = FIRST_BENCH.multipliedBy(1L << Math.min(benches, 10));
    benches++;
    lastTrouble = now;
    until = now.plus(wait.compareTo(LONGEST_BENCH) > 0 ? LONGEST_BENCH : wait);
    up = false;
    why = reason;
    forgetWindow();
  }

  /**
   * Its test points were as they have to be.
   *
   * @return whether it was not used until now
   */
  synchronized boolean passed(Instant now) {
    boolean was = !up;
    up = true;
    why = "";
    testAt = now.plus(TEST_INTERVAL);
    return was;
  }

  synchronized State state() {
    return new State(up, why, until, benches, asked, listed, errors, silent);
  }
}
