package net.postern.edge.check;

import net.postern.dnsbl.Listing;
import net.postern.dnsbl.Listings;
import net.postern.events.MailEvent.Reason;
import net.postern.smtp.Reply;

/** What follows from what lists say: a refusal from the threshold on, a note below it. */
final class ListVerdict {
  /** From this sum of weights on the note is of the middle kind. */
  private static final int MEDIUM = 3;

  /** From here on it is of the high kind: what the shipped table's threshold would refuse. */
  private static final int HIGH = 6;

  /** A customer's own threshold, for lists of either kind. */
  static final String THRESHOLD = "dnsbl_threshold";

  private ListVerdict() {}

  // What was chosen is checked before it is kept; whatever else stands there counts as nothing.
  private static int threshold(Rcpt question, int otherwise) {
    try {
      return question.policy().choice(THRESHOLD).map(Integer::parseInt).orElse(otherwise);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /**
   * What a check says.
   *
   * @param check its name
   * @param note what its notes begin with
   * @param threshold the provider's
   */
  static CheckResult of(
      Rcpt question, String check, String note, Listings listings, int threshold) {
    int score = listings.score();
    var worst = listings.worst();
    if (worst.isPresent()
        && question.surely(
            each -> score >= threshold(each, threshold) && each.mayRefuse(check, true))) {
      return refuse(question, worst.get(), listings);
    }
    String silent =
        listings.silent().isEmpty() ? "" : "no answer from " + String.join(", ", listings.silent());
    if (score == 0) {
      return silent.isEmpty()
          ? new CheckResult.Pass()
          : new CheckResult.Note(note + "_SILENT", silent);
    }
    String kind =
        score < 0 ? "_GOOD" : score < MEDIUM ? "_LOW" : score < HIGH ? "_MEDIUM" : "_HIGH";
    return new CheckResult.Note(
            note + kind, listings.shown() + (silent.isEmpty() ? "" : "; " + silent))
        .waived(question.waivers(check, score > 0));
  }

  private static CheckResult refuse(Rcpt question, Listing worst, Listings listings) {
    String more = worst.more().isEmpty() ? "" : ": " + worst.more();
    return new CheckResult.Reject(
        new Refusal(
            Reply.of(
                554, "5.7.1", "%s is listed by %s%s".formatted(worst.asked(), worst.zone(), more)),
            Reason.BLOCK_LIST,
            "Block lists: %s.".formatted(listings.shown()),
            question.customer()));
  }
}
