package net.postern.edge.check;

import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.tenant.RecipientLookup;

/**
 * Takes mail for our customers' domains only, except from who may send to others: users who logged
 * in, and customers' registered servers (RFC 5321 §3.6.2: a server that is no relay for a client
 * says 550).
 */
final class RelayControl implements Check<Rcpt> {
  @Override
  public About about() {
    return new About(
        "relay_control",
        Stage.RCPT,
        true,
        false,
        "Refuses recipients whose domain is no customer's here.",
        "550 5.7.1 Relaying denied: mail for this domain is not handled here");
  }

  @Override
  public CheckResult check(Rcpt question) {
    return switch (question.lookup()) {
      case RecipientLookup.Found found -> new CheckResult.Pass();
      case RecipientLookup.Group group -> new CheckResult.Pass();
      case RecipientLookup.UnknownUser unknown -> new CheckResult.Pass();
      case RecipientLookup.Unasked unasked -> new CheckResult.Pass();
      case RecipientLookup.Unavailable unavailable -> new CheckResult.Pass();
      case RecipientLookup.NotOurs notOurs ->
          question.submitter().isPresent() ? new CheckResult.Pass() : refuse();
    };
  }

  private static CheckResult refuse() {
    return new CheckResult.Reject(
        new Refusal(
            Reply.of(550, "5.7.1", "Relaying denied: mail for this domain is not handled here"),
            Reason.RELAY_DENIED,
            "The recipient's domain is nobody's here, and the client may not relay.",
            Optional.empty()));
  }
}
