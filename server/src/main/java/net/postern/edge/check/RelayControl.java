package net.postern.edge.check;

import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.tenant.Directory;
import net.postern.tenant.RecipientLookup;

/**
 * Takes mail for our customers' domains only (RFC 5321 §3.6.2: a server that is no relay for a
 * client says 550).
 */
final class RelayControl implements Check<Rcpt> {
  private final Directory directory;

  RelayControl(Directory directory) {
    this.directory = directory;
  }

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
      case RecipientLookup.Unavailable unavailable -> new CheckResult.Pass();
      case RecipientLookup.NotOurs notOurs -> refuse(question);
    };
  }

  private CheckResult refuse(Rcpt question) {
    var customer = directory.registeredServer(question.client().address());
    if (customer.isPresent()) {
      return new CheckResult.Reject(
          new Refusal(
              Reply.of(550, "5.7.1", "Sending to other domains is not available on this server"),
              Reason.RELAY_DENIED,
              "A customer's registered server sent to a domain that is nobody's here;"
                  + " outbound mail is not offered.",
              customer));
    }
    return new CheckResult.Reject(
        new Refusal(
            Reply.of(550, "5.7.1", "Relaying denied: mail for this domain is not handled here"),
            Reason.RELAY_DENIED,
            "The recipient's domain is nobody's here, and the client may not relay.",
            Optional.empty()));
  }
}
