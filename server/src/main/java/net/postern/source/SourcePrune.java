package net.postern.source;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import net.postern.source.SourceTable.Old;

/**
 * Keeps the tables from growing without end: what is old goes, and of what is too much the oldest.
 * Some rows at a time, so that nobody waits for it. Any node may do it, also several at once.
 */
final class SourcePrune {
  /** Standings of 90 quiet days have next to no weight. */
  private static final Duration STANDING_LIFE = Duration.ofDays(90);

  /** What windows live longer than they count: nodes' clocks may differ. */
  private static final Duration SPARE = Duration.ofHours(1);

  private static final Duration INTERVAL = Duration.ofHours(1);

  /** Rows of one table that are kept at most, some hundred megabytes. */
  static final int MAX_ROWS = 2_000_000;

  /** Rows that one statement removes. */
  static final int BATCH = 5_000;

  private final SourceTable table;
  private final Duration longestWindow;
  private final int mostRows;
  private final Map<Old, Long> excess = new EnumMap<>(Old.class);
  private boolean working;
  private boolean counted;
  private Instant done = Instant.EPOCH;

  /**
   * @param longestWindow how long recipients count
   * @param mostRows that a table may have
   */
  SourcePrune(SourceTable table, Duration longestWindow, int mostRows) {
    this.table = table;
    this.longestWindow = longestWindow;
    this.mostRows = mostRows;
  }

  /** Does a part of the work, when there is any: a statement for each table. One thread. */
  void step(Instant now) throws SQLException {
    if (!working && now.isBefore(done.plus(INTERVAL))) {
      return;
    }
    working = true;
    boolean more = false;
    Instant there = table.now();
    for (Old each : Old.values()) {
      more |= table.remove(each, oldest(each, now, there), BATCH) == BATCH;
    }
    if (!more && !counted) {
      // Those who only waited go before those with a name.
      long standings = table.count(Old.STANDINGS) - mostRows;
      excess.put(Old.PASSES, standings);
      excess.put(Old.STANDINGS, standings);
      excess.put(Old.WINDOWS, table.count(Old.WINDOWS) - mostRows);
      excess.put(Old.BLOCKS, table.count(Old.BLOCKS) - mostRows);
      counted = true;
    }
    if (!more) {
      for (Old each : Old.values()) {
        more |= removeExcess(each, there);
      }
    }
    if (!more) {
      working = false;
      counted = false;
      done = now;
    }
  }

  private boolean removeExcess(Old what, Instant there) throws SQLException {
    long left = excess.getOrDefault(what, 0L);
    if (left <= 0) {
      return false;
    }
    int wanted = (int) Math.min(BATCH, left);
    Instant any = what == Old.BLOCKS ? Instant.ofEpochSecond(1L << 33) : there;
    int removed = table.remove(what, any, wanted);
    // What others work on just now is left; the next hour counts anew.
    left = removed < wanted ? 0 : left - removed;
    excess.put(what, left);
    if (what == Old.PASSES) {
      excess.merge(Old.STANDINGS, (long) -removed, Long::sum);
    }
    return left > 0;
  }

  private Instant oldest(Old what, Instant now, Instant there) {
    return switch (what) {
      case WINDOWS -> there.minus(longestWindow).minus(SPARE);
      case PASSES -> there.minus(Sources.PASS_LIFE);
      case STANDINGS -> there.minus(STANDING_LIFE);
      case BLOCKS -> now.minus(Block.MEMORY);
    };
  }
}
