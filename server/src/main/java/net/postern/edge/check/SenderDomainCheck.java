package net.postern.edge.check;

import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/** Takes no mail that could not be answered: a report about it would have nowhere to go. */
final class SenderDomainCheck implements Check<Rcpt> {
  static final String NAME = "sender_domain";

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        true,
        "Refuses reverse-paths whose domain does not exist or says that it takes no mail; one that"
            + " cannot be looked up now is deferred.",
        "550 5.1.8 The domain example.com does not exist, so mail from it is not taken");
  }

  // Again when it is known who gets the mail: that one may have chosen otherwise.
  @Override
  public Turn turn() {
    return Turn.BOTH;
  }

  @Override
  public boolean waits() {
    return true;
  }

  @Override
  public boolean waits(Rcpt question) {
    return !question.mail().senderDomain().isDone();
  }

  @Override
  public CheckResult check(Rcpt question) {
    if (!question.surely(each -> each.mayRefuse(NAME, true))) {
      return new CheckResult.Pass();
    }
    String domain = question.mail().reversePath().map(each -> each.domain()).orElse("");
    return switch (question.mail().senderDomain().await()) {
      case SenderDomain.Exists _, SenderDomain.Unasked _ -> new CheckResult.Pass();
      // Never 5xx, for it may well exist; and no yes either, for a report would have nowhere to go.
      // The sender's queue comes again, and a slow answer is in the memory of the DNS by then.
      case SenderDomain.Unknown(String why) ->
          new CheckResult.Defer(
              new Refusal(
                  Reply.of(
                      451,
                      "4.1.8",
                      "The domain %s cannot be looked up now, please try again".formatted(domain)),
                  Reason.SENDER_UNKNOWN,
                  "The reverse-path's domain cannot be looked up: %s.".formatted(why),
                  question.customer()));
      // RFC 3463 §3.2: 5.1.8 bad sender's system address.
      case SenderDomain.Missing _ ->
          reject(
              question,
              Reply.of(
                  550,
                  "5.1.8",
                  "The domain %s does not exist, so mail from it is not taken".formatted(domain)),
              "The reverse-path's domain has neither mail exchangers nor addresses.");
      // RFC 7505 §4.2: 5.7.27 sender address has null MX.
      case SenderDomain.NullMx _ ->
          reject(
              question,
              Reply.of(
                  550,
                  "5.7.27",
                  "The domain %s takes no mail, so mail from it is not taken".formatted(domain)),
              "The reverse-path's domain has a null MX.");
    };
  }

  private static CheckResult reject(Rcpt question, Reply reply, String cause) {
    return new CheckResult.Reject(
        new Refusal(reply, Reason.SENDER_DOMAIN, cause, question.customer()));
  }
}
