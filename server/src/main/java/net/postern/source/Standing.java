package net.postern.source;

import java.time.Duration;
import java.time.Instant;

/**
 * What a source has done, the recent weighing more: each act loses half of its weight in {@link
 * #HALF_LIFE}.
 *
 * <p>Sums are kept by forward decay (Cormode, Shkapenyuk, Srivastava and Xu, <i>Forward Decay: A
 * Practical Time Decay Model for Streaming Systems</i>, ICDE 2009): an act is added with a weight
 * that doubles every half-life, and the sum is divided by the weight of the moment at which it is
 * read. What is kept then never has to be decayed, and sums of several nodes are simply added. The
 * numbers stay in the range of a double until the year 2049.
 *
 * @param good acts that speak for it, as of the moment that was asked for
 * @param bad acts that speak against it
 */
public record Standing(double good, double bad) {
  public static final Duration HALF_LIFE = Duration.ofDays(7);

  /** The middle of the years in which the weights fit: 2030. */
  private static final long LANDMARK = 1_893_456_000L;

  /** With less on record a source is new. */
  private static final double LEAST = 5;

  private static final double GOOD_LEAST = 20;
  private static final double GOOD_SHARE = 0.1;
  private static final double BAD_SHARE = 0.5;

  /** From so much on a network's bad name counts against addresses that are new. */
  private static final double BAD_NETWORK_LEAST = 50;

  static final Standing NONE = new Standing(0, 0);

  /** What an act of this moment is added with. */
  static double weight(Instant now) {
    return Math.pow(2, (double) (now.getEpochSecond() - LANDMARK) / HALF_LIFE.toSeconds());
  }

  /** From sums that were kept with {@link #weight}. */
  static Standing at(Instant now, double keptGood, double keptBad) {
    if (keptGood == 0 && keptBad == 0) {
      return NONE;
    }
    double weight = weight(now);
    return new Standing(keptGood / weight, keptBad / weight);
  }

  public double total() {
    return good + bad;
  }

  /** Between 0 and 1; 0 where nothing is on record. */
  public double badShare() {
    return total() == 0 ? 0 : bad / total();
  }

  /** What it is taken for by its own acts. */
  public Grade grade() {
    if (total() < LEAST) {
      return Grade.NEW;
    }
    if (badShare() >= BAD_SHARE) {
      return Grade.BAD;
    }
    return good >= GOOD_LEAST && badShare() <= GOOD_SHARE ? Grade.GOOD : Grade.NEUTRAL;
  }

  /** What it is taken for, in the network that it is in: this only matters to one that is new. */
  public Grade grade(Standing network) {
    Grade own = grade();
    if (own != Grade.NEW) {
      return own;
    }
    return switch (network.grade()) {
      case BAD -> network.total() >= BAD_NETWORK_LEAST ? Grade.BAD : Grade.NEW;
      case NEW, NEUTRAL, GOOD -> Grade.NEW;
    };
  }
}
