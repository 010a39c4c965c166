package net.postern.edge.check;

import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.id.CustomerId;
import net.postern.smtp.Reply;
import net.postern.tenant.RecipientLookup;

/**
 * Takes mail for users that exist, so that no report has to go to a forged sender later. What the
 * directory cannot say now is never "unknown".
 */
final class KnownRecipient implements Check<Rcpt> {

  @Override
  public About about() {
    return new About(
        "known_recipient",
        Stage.RCPT,
        true,
        false,
        "Refuses recipients that do not exist; what cannot be looked up now is deferred.",
        "550 5.1.1 No such user here");
  }

  @Override
  public Turn turn() {
    return Turn.ANSWERED;
  }

  private static CheckResult notNow(String why, Optional<CustomerId> customer) {
    return new CheckResult.Defer(
        new Refusal(
            Reply.of(451, "4.3.0", "Recipients cannot be checked now, please try again"),
            Reason.DATABASE_UNAVAILABLE,
            "The directory cannot answer: " + why + ".",
            customer));
  }

  @Override
  public CheckResult check(Rcpt question) {
    return switch (question.lookup()) {
      case RecipientLookup.Found found -> new CheckResult.Pass();
      case RecipientLookup.Group group -> new CheckResult.Pass();
      // RFC 3463 §3.2: 5.1.1 bad destination mailbox address.
      case RecipientLookup.UnknownUser unknown ->
          new CheckResult.Reject(
              new Refusal(
                  Reply.of(550, "5.1.1", "No such user here"),
                  Reason.UNKNOWN_USER,
                  "The customer has no such user.",
                  Optional.of(unknown.customer())));
      case RecipientLookup.Unavailable unavailable -> notNow(unavailable.why(), Optional.empty());
      case RecipientLookup.Unasked unasked ->
          notNow("the customer's server was not asked", Optional.of(unasked.customer()));
      // Relay control has refused it already; without it this must not become a yes.
      case RecipientLookup.NotOurs notOurs ->
          question.submitter().isPresent()
              ? new CheckResult.Pass()
              : new CheckResult.Reject(
                  new Refusal(
                      Reply.of(550, "5.7.1", "Relaying denied"),
                      Reason.RELAY_DENIED,
                      "The recipient's domain is nobody's here.",
                      Optional.empty()));
    };
  }
}
