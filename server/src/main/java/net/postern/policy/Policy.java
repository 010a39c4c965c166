package net.postern.policy;

import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Collectors;
import net.postern.filter.Finding;
import net.postern.filter.Judgement;
import net.postern.filter.Thresholds;
import net.postern.filter.Verdict;
import net.postern.tenant.Customer;

/** Turns a judgement into a disposition by a customer's settings. Pure. */
public final class Policy {
  /** Findings named in an explanation; the trace has them all. */
  private static final int NAMED = 5;

  private Policy() {}

  /** What becomes of a message with this judgement for this customer's recipients. */
  public static Disposition decide(Judgement judgement, Customer customer) {
    Thresholds thresholds = new Thresholds(customer.flag(), customer.hold(), customer.refuse());
    Verdict verdict = thresholds.verdict(judgement.score());
    if (verdict != Verdict.REJECT && !judgement.unavailable().isEmpty()) {
      // Promise 5: what is down is never clean.
      Judgement.Unavailable first = judgement.unavailable().getFirst();
      return new Disposition.Wait(first.stage() + " is unavailable: " + first.why());
    }
    return switch (verdict) {
      case PASS -> new Disposition.Deliver();
      case FLAG -> new Disposition.Flag(header(judgement, thresholds), customer.subjectTag());
      case QUARANTINE ->
          new Disposition.Hold(
              "score %s of %s: %s"
                  .formatted(score(judgement.score()), score(thresholds.hold()), why(judgement)));
      case REJECT ->
          new Disposition.Refuse(
              "score %s of %s: %s"
                  .formatted(score(judgement.score()), score(thresholds.refuse()), why(judgement)));
    };
  }

  /** The findings that weighed most, heaviest first. */
  public static String why(Judgement judgement) {
    return judgement.findings().stream()
        .filter(finding -> finding.score() > 0)
        .sorted(Comparator.comparingDouble(Finding::score).reversed())
        .limit(NAMED)
        .map(Finding::name)
        .collect(Collectors.joining(", "));
  }

  private static String header(Judgement judgement, Thresholds thresholds) {
    return "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=%s required=%s\r\n tests=%s\r\n"
        .formatted(
            score(judgement.score()), score(thresholds.flag()), why(judgement).replace(" ", ""));
  }

  private static String score(double score) {
    return String.format(Locale.ROOT, "%.1f", score);
  }
}
