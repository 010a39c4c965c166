package net.postern.source;

import java.time.Duration;
import java.time.Instant;

/**
 * A source on the internal block list, or what is remembered of its last time there.
 *
 * @param why one plain sentence without full stop, also for the client to read
 * @param offence which time this is, 1 for the first; forgotten after {@link #MEMORY}
 * @param until from this moment on it is served again
 */
public record Block(
    Source source, Kind kind, String why, int offence, Instant since, Instant until) {

  /** So long after its end a block still makes the next one longer. */
  public static final Duration MEMORY = Duration.ofDays(90);

  /** Why a source is blocked. */
  public enum Kind {
    /** It tried out recipients. */
    HARVEST,
    /** It connected without end. */
    FLOOD,
    /** A person decided so. */
    ADMIN
  }

  /** Where it stands on the list: one for a flood and one for anything else hold each its own. */
  Place place() {
    return new Place(source, kind == Kind.FLOOD);
  }

  record Place(Source source, boolean flood) {}

  public boolean stands(Instant now) {
    return now.isBefore(until);
  }

  boolean remembered(Instant now) {
    return now.isBefore(until.plus(MEMORY));
  }

  /** The first, twice, four times as long ..., never longer than the longest. */
  public static Duration length(Duration first, Duration longest, int offence) {
    Duration length = first;
    for (int i = 1; i < offence && length.compareTo(longest) < 0; i++) {
      length = length.multipliedBy(2);
    }
    return length.compareTo(longest) < 0 ? length : longest;
  }
}
