package net.postern.edge.check;

import net.postern.events.MailEvent.Stage;

/** Refuses senders whose domains block lists name. */
final class DomainList implements Check<Rcpt> {
  static final String NAME = "domain_list";

  private final int threshold;

  DomainList(int threshold) {
    this.threshold = threshold;
  }

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        true,
        "Asks block lists of domains about the reverse-path, the HELO name and the client's verified"
            + " name; refuses when the sum of their weights reaches the threshold.",
        "554 5.7.1 example.com is listed by dbl.spamhaus.org: https://check.spamhaus.org/query/domain/example.com");
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
    return !question.mail().domainListings().isDone();
  }

  @Override
  public CheckResult check(Rcpt question) {
    return ListVerdict.of(
        question, NAME, "DOMAIN_LIST", question.mail().domainListings().await(), threshold);
  }
}
