package net.postern.source;

import java.time.Instant;

/** How often something happened in the last minute, near enough. Safe for many threads. */
final class Meter {
  private static final int MINUTE = 60;

  private long minute;
  private int thisMinute;
  private int lastMinute;

  /** Counts one more; returns how many there were within a minute, this one included. */
  synchronized int add(Instant now) {
    roll(now);
    thisMinute++;
    return rate(now);
  }

  /** How many there were within a minute. */
  synchronized int rate(Instant now) {
    roll(now);
    // The last minute counts for the part of it that is not a minute ago yet.
    long left = MINUTE - now.getEpochSecond() % MINUTE;
    return (int) Math.min(Integer.MAX_VALUE, thisMinute + (long) lastMinute * left / MINUTE);
  }

  private void roll(Instant now) {
    long current = now.getEpochSecond() / MINUTE;
    if (current == minute) {
      return;
    }
    lastMinute = current == minute + 1 ? thisMinute : 0;
    thisMinute = 0;
    minute = current;
  }
}
