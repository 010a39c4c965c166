package net.postern.edge.check;

import java.time.Duration;
import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.source.AskedRecipient;
import net.postern.source.RecipientFinding;
import net.postern.source.Sources;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Tenants;

/**
 * Finds those who try out recipients. Once a source is suspect, it gets the same answer for those
 * that exist and those that do not, later each time; when there is no doubt it is blocked. The rule
 * is in {@link net.postern.source.Sources}.
 */
final class HarvestWatch implements Check<Rcpt> {
  private static final int LONGEST_WAIT_SECONDS = 10;

  static final About ABOUT =
      new About(
          "harvest",
          Stage.RCPT,
          true,
          false,
          "Defers all recipients of sources that seem to try them out, slowly, and blocks those that"
              + " do.",
          "450 4.7.1 Too many recipients that do not exist, please try again later");

  private final Sources sources;

  HarvestWatch(Sources sources) {
    this.sources = sources;
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public Turn turn() {
    return Turn.BOTH;
  }

  @Override
  public CheckResult check(Rcpt question) {
    if (question.safelisted()) {
      return new CheckResult.Pass();
    }
    return switch (question.lookup()) {
      case RecipientLookup.Found found -> count(question, true, evidence(found.listed()));
      case RecipientLookup.Group group -> count(question, true, group.listed());
      case RecipientLookup.UnknownUser unknown -> count(question, false, question.address().key());
      case RecipientLookup.Unasked unasked -> look(question);
      // Says nothing about whether it exists.
      case RecipientLookup.NotOurs notOurs -> new CheckResult.Pass();
      case RecipientLookup.Unavailable unavailable -> new CheckResult.Pass();
    };
  }

  // RFC 5321 §4.5.1: every domain has a postmaster, so that nobody has to know one to name it.
  private static String evidence(String listed) {
    return listed.startsWith(Tenants.POSTMASTER + "@") ? "" : listed;
  }

  private CheckResult count(Rcpt question, boolean known, String name) {
    return result(
        sources.recipient(
            question.client().address(),
            new AskedRecipient(question.address().domain(), known, name),
            question::ours));
  }

  // A suspect's questions are not to become ours.
  private CheckResult look(Rcpt question) {
    return result(
        sources.suspicion(
            question.client().address(), question.address().domain(), question::ours));
  }

  private static CheckResult result(RecipientFinding finding) {
    return switch (finding) {
      case RecipientFinding.Clear clear -> new CheckResult.Pass();
      case RecipientFinding.Suspect suspect ->
          new CheckResult.Defer(
              new Refusal(
                  Reply.of(
                      450,
                      "4.7.1",
                      "Too many recipients that do not exist, please try again later"),
                  Reason.HARVESTING,
                  "The source may be trying out recipients.",
                  Optional.empty(),
                  Duration.ofSeconds(Math.min(suspect.step(), LONGEST_WAIT_SECONDS))));
      case RecipientFinding.Blocked blocked ->
          new CheckResult.Reject(InternalBlock.refusal(blocked.block()));
    };
  }
}
