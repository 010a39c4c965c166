package net.postern.edge.check;

import net.postern.events.MailEvent.Stage;
import net.postern.source.Sources;

/** Slows down, then defers, sources that ask for too many recipients. */
final class RecipientRate implements Check<Rcpt> {
  static final About ABOUT =
      new About(
          "recipient_rate",
          Stage.RCPT,
          true,
          false,
          "Slows down, then defers, sources that ask for too many recipients.",
          "450 4.7.0 Too many recipients in a minute, please slow down and try again");

  private final Sources sources;

  RecipientRate(Sources sources) {
    this.sources = sources;
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public CheckResult check(Rcpt question) {
    if (question.safelisted()) {
      return new CheckResult.Pass();
    }
    return Pacing.of(sources.asksRecipient(question.client().address()), 450, "recipients");
  }
}
