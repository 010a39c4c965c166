package net.postern.edge.check;

import net.postern.events.MailEvent.Stage;

/** Refuses clients that block lists name, as far as the recipient's customer wants that. */
final class Dnsbl implements Check<Rcpt> {
  static final String NAME = "dnsbl";

  private final int threshold;

  Dnsbl(int threshold) {
    this.threshold = threshold;
  }

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        true,
        "Asks block lists and allow lists about the client's address when it connects; refuses when"
            + " the sum of their weights reaches the threshold.",
        "554 5.7.1 192.0.2.1 is listed by zen.spamhaus.org: https://check.spamhaus.org/query/ip/192.0.2.1");
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
    return !question.client().listings().isDone();
  }

  @Override
  public CheckResult check(Rcpt question) {
    return ListVerdict.of(question, NAME, "DNSBL", question.client().listings().await(), threshold);
  }
}
