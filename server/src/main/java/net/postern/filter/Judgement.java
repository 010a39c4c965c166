package net.postern.filter;

import java.util.List;

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

  public Judgement {
    findings = List.copyOf(findings);
    unavailable = List.copyOf(unavailable);
  }
}
