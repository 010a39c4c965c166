package net.postern.edge.check;

import net.postern.events.MailEvent.Stage;
import net.postern.tenant.Directory;
import net.postern.tenant.RecipientLookup;

/**
 * Lets a customer's registered server send to others in the name of the customer's own domains
 * only. Mail for our customers is not asked this: any server may send that.
 */
final class OwnDomain implements Check<Rcpt> {
  private final Directory directory;

  OwnDomain(Directory directory) {
    this.directory = directory;
  }

  @Override
  public About about() {
    return new About(
        "own_domain",
        Stage.RCPT,
        true,
        false,
        "Refuses mail of a registered server to others whose sender is not of its customer's domains.",
        "553 5.7.1 This sender address is not yours");
  }

  @Override
  public CheckResult check(Rcpt question) {
    return question.lookup() instanceof RecipientLookup.NotOurs && question.submitter().isPresent()
        ? OwnSender.of(directory, question.submitter().get(), question.mail())
        : new CheckResult.Pass();
  }
}
