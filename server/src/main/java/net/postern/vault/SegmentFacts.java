package net.postern.vault;

import java.io.IOException;
import java.util.UUID;

/**
 * What is known of segments beyond what the stores hold. Safe for many threads.
 *
 * <p>Repair asks before it touches a segment; what it cannot find out, it leaves alone.
 */
@FunctionalInterface
public interface SegmentFacts {

  /** What is to become of a segment's copies. */
  enum Fate {
    /** Every store is to have it. */
    KEPT,
    /** Somebody may be writing it, or is about to remove it: nothing is to be done. */
    LEFT_ALONE,
    /** It was removed from every store: a copy that is left is to go. */
    REMOVED
  }

  /** For those who write alone: every segment that they do not write themselves is to be kept. */
  SegmentFacts ALL_KEPT = segment -> Fate.KEPT;

  /**
   * @throws IOException when that cannot be known now
   */
  Fate fate(UUID segment) throws IOException;
}
