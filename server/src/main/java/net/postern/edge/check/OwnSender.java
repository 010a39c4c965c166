package net.postern.edge.check;

import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.tenant.Directory;
import net.postern.tenant.Submitter;

/**
 * Lets users send in their own names only: the reverse-path is an address of the account (RFC 6409
 * §6.1). The null reverse-path, with which programs confirm that mail was read, is anybody's.
 */
final class OwnSender implements Check<Mail> {
  private final Directory directory;

  OwnSender(Directory directory) {
    this.directory = directory;
  }

  @Override
  public About about() {
    return new About(
        "own_sender",
        Stage.MAIL,
        true,
        false,
        "Refuses senders that are no address of the user who logged in.",
        "553 5.7.1 This sender address is not yours");
  }

  @Override
  public CheckResult check(Mail question) {
    return question.submitter().isEmpty()
        ? new CheckResult.Pass()
        : of(directory, question.submitter().get(), question);
  }

  /** The same for whoever may send. */
  static CheckResult of(Directory directory, Submitter sender, Mail mail) {
    if (mail.reversePath().isEmpty()) {
      return new CheckResult.Pass();
    }
    return switch (sender.owns(directory, mail.reversePath().get())) {
      case YES -> new CheckResult.Pass();
      case NO ->
          new CheckResult.Reject(
              new Refusal(
                  Reply.of(553, "5.7.1", "This sender address is not yours"),
                  Reason.SENDER_DENIED,
                  "The reverse-path does not belong to " + sender.name() + ".",
                  Optional.of(sender.customer())));
      case UNKNOWN ->
          new CheckResult.Defer(
              new Refusal(
                  Reply.of(451, "4.3.0", "Senders cannot be checked now, please try again"),
                  Reason.DATABASE_UNAVAILABLE,
                  "The directory cannot answer.",
                  Optional.of(sender.customer())));
    };
  }
}
