package net.postern.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the pipeline says of a message.
 *
 * @param score sum of the findings' scores
 * @param probability that it is spam, 0 to 1, from the score
 * @param findings in the order of the stages
 * @param unavailable stages that could not do their work, each with the reason; never silently
 *     clean
 */
public record Judgement(
    double score, double probability, List<Finding> findings, List<Unavailable> unavailable) {

  /** A stage whose scanner, list or database was away. */
  public record Unavailable(String stage, String why) {}

  /** What stages found, added up. */
  static Judgement of(List<Finding> findings, List<Unavailable> unavailable) {
    double score = 0;
    for (Finding finding : findings) {
      score += finding.score();
    }
    // Sums of tenths carry noise in binary: thresholds must not depend on it.
    score = Math.rint(score * 1000) / 1000;
    return new Judgement(score, Pipeline.probability(score), findings, unavailable);
  }

  /**
   * The same for recipients who want nothing to follow from some findings.
   *
   * @param waived names of findings, and why they weigh nothing; names of none are passed over
   */
  public Judgement waiving(Map<String, String> waived) {
    if (waived.isEmpty()) {
      return this;
    }
    List<Finding> weighed = new ArrayList<>(findings.size());
    for (Finding finding : findings) {
      String why = waived.get(finding.name());
      weighed.add(
          why == null
              ? finding
              : new Finding(finding.name(), 0, finding.detail() + " (no score: " + why + ")"));
    }
    return of(weighed, unavailable);
  }

  /** The same with what is to be known of some of the recipients, and weighs nothing. */
  public Judgement with(List<Noted> own) {
    if (own.isEmpty()) {
      return this;
    }
    List<Finding> more = new ArrayList<>(findings);
    own.forEach(note -> more.add(new Finding(note.name(), 0, note.detail())));
    return new Judgement(score, probability, more, unavailable);
  }

  public Judgement {
    findings = List.copyOf(findings);
    unavailable = List.copyOf(unavailable);
  }
}
