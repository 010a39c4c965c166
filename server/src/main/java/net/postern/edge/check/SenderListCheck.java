package net.postern.edge.check;

import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.tenant.RecipientPolicy.Sender;

/** Honours the safelists and blocklists of the recipient and of the recipient's customer. */
final class SenderListCheck implements Check<Rcpt> {
  static final String NAME = "sender_list";

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        false,
        "Refuses senders on the blocklist of the recipient or the customer; a safelist overrides"
            + " block lists and greylisting for its owner.",
        "550 5.7.1 This recipient does not take mail from you");
  }

  @Override
  public Turn turn() {
    return Turn.BOTH;
  }

  @Override
  public CheckResult check(Rcpt question) {
    return switch (question.sender()) {
      case Sender.Unlisted _ -> new CheckResult.Pass();
      case Sender.Safe safe -> CheckResult.Note.own("SAFELISTED", whose(safe.byUser()));
      case Sender.Untrusted untrusted ->
          CheckResult.Note.own("SAFELIST_UNTRUSTED", whose(untrusted.byUser()));
      case Sender.Blocked _
          when !question.surely(each -> each.sender() instanceof Sender.Blocked) ->
          new CheckResult.Pass();
      case Sender.Blocked blocked ->
          new CheckResult.Reject(
              new Refusal(
                  Reply.of(550, "5.7.1", "This recipient does not take mail from you"),
                  Reason.BLOCKED_SENDER,
                  "The blocklist of the %s has %s."
                      .formatted(blocked.byUser() ? "user" : "customer", blocked.entry()),
                  question.customer()));
    };
  }

  // Never the entry: others' recipients get the same message, and its trace is not theirs alone.
  private static String whose(boolean byUser) {
    return byUser ? "of a user" : "of a customer";
  }
}
