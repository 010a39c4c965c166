package net.postern.edge.check;

import net.postern.dns.ReverseName;
import net.postern.events.MailEvent.Stage;

/**
 * Tells the filter of clients without a name in the DNS, or with one that is not theirs (RFC 8601
 * §3). Never refuses: plenty of honest small servers have none.
 */
final class ReverseNameCheck implements Check<Mail> {
  static final String NAME = "reverse_name";

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.MAIL,
        true,
        false,
        "Looks for the client's name in the DNS, and whether the name has the client's address"
            + " (FCrDNS). What is missing is told to the filter; the verified name goes into the"
            + " Received field.",
        "");
  }

  @Override
  public boolean waits() {
    return true;
  }

  @Override
  public CheckResult check(Mail question) {
    if (!question.client().isPublic()) {
      return new CheckResult.Pass();
    }
    return switch (question.client().reverseName().await()) {
      case ReverseName.Verified _ -> new CheckResult.Pass();
      case ReverseName.Unverified(String name) -> new CheckResult.Note("RDNS_UNVERIFIED", name);
      case ReverseName.None _ -> new CheckResult.Note("RDNS_NONE", "");
      case ReverseName.Failed(String reason) -> new CheckResult.Note("RDNS_DNSFAIL", reason);
    };
  }
}
