package net.postern.edge.check;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.filter.content.Domains;
import net.postern.greylist.Greylist;
import net.postern.greylist.Triple;
import net.postern.smtp.Reply;
import net.postern.source.Grade;
import net.postern.source.Sources;
import net.postern.tenant.RecipientLookup;

/**
 * Puts off what comes for the first time (RFC 6647), for recipients who want that. Not run beside
 * the others: what they refuse is not to be remembered.
 *
 * <p>Never put off: servers of our customers and clients in private networks; safelisted senders;
 * clients on an allow list or of good standing; the null reverse-path, for a report or a check of
 * whether one of our users exists would keep another server's mail waiting.
 */
final class GreylistCheck implements Check<Rcpt> {
  static final String NAME = "greylist";

  private final Optional<Greylist> greylist;
  private final Optional<Sources> sources;

  GreylistCheck(Optional<Greylist> greylist, Optional<Sources> sources) {
    this.greylist = greylist;
    this.sources = sources;
  }

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        true,
        "Asks senders who are new to come again after some minutes. Only for customers and users"
            + " who turned it on.",
        "451 4.7.1 Greylisted: please try again in 120 seconds");
  }

  @Override
  public Turn turn() {
    return Turn.ANSWERED;
  }

  @Override
  public CheckResult check(Rcpt question) {
    Optional<EmailAddress> sender = question.mail().reversePath();
    Client client = question.client();
    if (greylist.isEmpty()
        || sender.isEmpty()
        || !question.mayRefuse(NAME, false)
        || !(question.lookup() instanceof RecipientLookup.Found
            || question.lookup() instanceof RecipientLookup.Group)
        || !client.isPublic()
        || sources.filter(each -> each.grade(client.address()) == Grade.GOOD).isPresent()
        || client.listings().await().score() < 0) {
      return new CheckResult.Pass();
    }
    Triple triple =
        new Triple(
            question.customer().orElseThrow(),
            client.address(),
            question.mail().provenDomain(),
            hostDomain(question.mail()),
            sender.get(),
            question.address());
    return switch (greylist.get().attempt(triple)) {
      case Greylist.Answer.Pass _ -> new CheckResult.Pass();
      // It is a delay and no protection that somebody counts on: mail goes on.
      case Greylist.Answer.Unknown _ -> new CheckResult.Pass();
      case Greylist.Answer.Later(long seconds) ->
          new CheckResult.Defer(
              new Refusal(
                  // RFC 6647 §2.1: a temporary failure, and the session goes on.
                  Reply.of(
                      451,
                      "4.7.1",
                      "Greylisted: please try again in %d seconds".formatted(seconds)),
                  Reason.GREYLISTED,
                  "The recipient has new senders come twice.",
                  question.customer()));
    };
  }

  // Machines in homes have verified names too, all of one provider; but they do not call themselves
  // by these, as a pool of mail servers does.
  private static Optional<String> hostDomain(Mail mail) {
    String verified = mail.client().verifiedName();
    return verified.isEmpty() || HeloCheck.isAddress(mail.helo())
        ? Optional.empty()
        : EmailAddress.normalDomain(mail.helo())
            .filter(helo -> Domains.sameSite(helo, verified))
            .map(Domains::registered);
  }
}
