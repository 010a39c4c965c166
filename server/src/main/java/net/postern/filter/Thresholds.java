package net.postern.filter;

/**
 * From which score on (inclusive) a message is flagged, held, refused.
 *
 * @param flag at most {@code hold}
 * @param hold at most {@code refuse}
 */
public record Thresholds(double flag, double hold, double refuse) {

  /** What a customer starts with. */
  public static final Thresholds DEFAULT = new Thresholds(4, 6, 15);

  public Thresholds {
    if (!(flag <= hold && hold <= refuse)) {
      throw new IllegalArgumentException(
          "thresholds must ascend: flag %s, hold %s, refuse %s".formatted(flag, hold, refuse));
    }
  }

  /** The verdict for a score. */
  public Verdict verdict(double score) {
    if (score >= refuse) {
      return Verdict.REJECT;
    }
    if (score >= hold) {
      return Verdict.QUARANTINE;
    }
    return score >= flag ? Verdict.FLAG : Verdict.PASS;
  }
}
