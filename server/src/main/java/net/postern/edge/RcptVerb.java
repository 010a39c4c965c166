package net.postern.edge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import net.postern.address.EmailAddress;
import net.postern.edge.check.Check;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.CheckRun;
import net.postern.edge.check.Rcpt;
import net.postern.edge.check.Refusal;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.id.CustomerId;
import net.postern.smtp.Parsed;
import net.postern.smtp.RcptArguments;
import net.postern.smtp.Reply;
import net.postern.submission.SendLimits;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.RecipientPolicy;
import net.postern.tenant.Submitter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** RCPT (RFC 5321 §4.1.1.3): asks for one recipient; the checks of {@code edge.check} decide. */
final class RcptVerb implements Verb {
  private static final Logger LOG = LoggerFactory.getLogger(RcptVerb.class);
  private static final Reply OK = Reply.of(250, "2.1.5", "Ok");
  private static final Reply WHO_ARE_YOU =
      Reply.of(451, "4.3.0", "Whether you may send elsewhere cannot be said now, please try again");
  // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
  private static final Reply TOO_MANY = Reply.of(452, "4.5.3", "Too many recipients");

  /** Recipients of one message with all members of its groups; the ledger counts to 32,767. */
  private static final int MAX_EXPANDED = 10_000;

  private static final Reply NO_POSTMASTER =
      Reply.of(
          550,
          "5.1.1",
          "No postmaster for this host: please write to postmaster at the domain that your mail is"
              + " for");

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    Optional<Transaction> begun = session.transaction();
    if (begun.isEmpty()) {
      return session.refuse(Stage.RCPT, Reason.SEQUENCE, Replies.NO_MAIL);
    }
    Transaction transaction = begun.get();
    if (transaction.chunks().isPresent()) {
      return session.refuse(Stage.RCPT, Reason.SEQUENCE, Replies.BDAT_BEGUN);
    }
    return switch (RcptArguments.parse(argument, transaction.mail().utf8())) {
      case Parsed.Bad<RcptArguments> bad -> session.refuse(Stage.RCPT, Reason.SYNTAX, bad.reply());
      case Parsed.Ok<RcptArguments> ok -> {
        Optional<EmailAddress> address = ok.value().forwardPath();
        yield address.isPresent()
            ? ask(session, transaction, address.get())
            : askPostmaster(session, transaction);
      }
    };
  }

  // RFC 5321 §4.5.1: postmaster without a domain is the person who looks after this server. Where
  // nobody was named, the refusal says who else reads mail about mail.
  private static SmtpSession.Next askPostmaster(SmtpSession session, Transaction transaction)
      throws IOException {
    EmailAddress postmaster = session.context().postmaster();
    return switch (look(session.context(), postmaster, Directory.Asking.FORBIDDEN)) {
      case RecipientLookup.Found found -> ask(session, transaction, postmaster);
      case RecipientLookup.Group group -> ask(session, transaction, postmaster);
      case RecipientLookup.Unasked unasked -> ask(session, transaction, postmaster);
      case RecipientLookup.Unavailable unavailable -> ask(session, transaction, postmaster);
      case RecipientLookup.UnknownUser unknown -> noPostmaster(session, postmaster);
      case RecipientLookup.NotOurs notOurs -> noPostmaster(session, postmaster);
    };
  }

  private static SmtpSession.Next noPostmaster(SmtpSession session, EmailAddress postmaster)
      throws IOException {
    return session.refuse(
        Stage.RCPT,
        new Refusal(
            NO_POSTMASTER,
            Reason.UNKNOWN_USER,
            "The directory has no " + postmaster + "; name a user in node.postmaster.",
            Optional.empty()),
        "postmaster");
  }

  private static SmtpSession.Next ask(
      SmtpSession session, Transaction transaction, EmailAddress address) throws IOException {
    if (transaction.has(address.key())) {
      return session.say(OK);
    }
    if (transaction.recipientCount() >= session.context().config().maxRecipients()) {
      return tooMany(session, address);
    }
    EdgeContext context = session.context();
    List<Check<Rcpt>> checks = context.checks(session.service()).rcpt();
    List<CheckResult.Note> said = new ArrayList<>();
    RecipientLookup lookup = look(context, address, Directory.Asking.FORBIDDEN);
    Optional<Submitter> submitter = session.identity().user();
    if (lookup instanceof RecipientLookup.NotOurs) {
      switch (session.identity().submitter()) {
        case Lookup.Known<Optional<Submitter>>(Optional<Submitter> known) -> submitter = known;
        case Lookup.Unavailable<Optional<Submitter>>(String why) -> {
          return session.refuse(
              Stage.RCPT,
              new Refusal(
                  WHO_ARE_YOU,
                  Reason.DATABASE_UNAVAILABLE,
                  "It cannot be said whether this is a registered server: " + why + ".",
                  Optional.empty()),
              address.toString());
        }
      }
    }
    if (lookup instanceof RecipientLookup.Unasked) {
      // Who is refused anyway costs the customer's server nothing, nor does who tries out
      // addresses.
      Optional<SmtpSession.Next> refused =
          session.ask(
              Stage.RCPT,
              CheckRun.at(checks, Check.Turn.UNASKED),
              session.questions().rcpt(transaction.question(), address, lookup).from(submitter),
              address.toString(),
              said::add);
      if (refused.isPresent()) {
        return refused.get();
      }
      lookup = look(context, address, Directory.Asking.ALLOWED);
      checks = CheckRun.at(checks, Check.Turn.ANSWERED);
    }
    Rcpt question =
        session.questions().rcpt(transaction.question(), address, lookup).from(submitter);
    Optional<SmtpSession.Next> refused =
        session.ask(Stage.RCPT, checks, question, address.toString(), said::add);
    if (refused.isPresent()) {
      return refused.get();
    }
    List<Recipient> recipients = recipients(question);
    // A group alone always has room: the next one may have to come in another transaction.
    if (question.lookup() instanceof RecipientLookup.Group
        && transaction.recipientCount() > 0
        && transaction.countWith(recipients.size()) > MAX_EXPANDED) {
      return tooMany(session, address);
    }
    if (submitter.isPresent()) {
      int fresh = transaction.fresh(recipients);
      Optional<SendLimits.Hindrance> hindrance =
          context
              .outbound()
              .orElseThrow()
              .limits()
              .ask(submitter.get(), transaction.counted() + fresh);
      if (hindrance.isPresent()) {
        return session.refuse(
            Stage.RCPT,
            Outgoing.limit(hindrance.get(), submitter.get(), context.clock().instant()),
            address.toString());
      }
      transaction.sentBy(submitter.get(), fresh);
    }
    if (question.lookup() instanceof RecipientLookup.Group group) {
      tellLeftOut(session, transaction, question);
      transaction.add(address, group, said);
    } else {
      transaction.add(recipients.getFirst(), said);
    }
    return session.say(OK);
  }

  private static List<Recipient> recipients(Rcpt question) {
    if (question.lookup() instanceof RecipientLookup.Found found) {
      return List.of(found.recipient());
    }
    if (question.lookup() instanceof RecipientLookup.Group group) {
      return group.members();
    }
    if (question.lookup() instanceof RecipientLookup.NotOurs && question.submitter().isPresent()) {
      // Kept for the sender: it is the sender's customer who accounts for it and may read it.
      Submitter sender = question.submitter().get();
      return List.of(new Recipient(question.address(), sender.customer(), sender.mailbox()));
    }
    throw new IllegalStateException("no check refused a recipient that was not found");
  }

  // One event for each customer among them: nobody reads of another customer's members.
  private static void tellLeftOut(SmtpSession session, Transaction transaction, Rcpt question) {
    Map<CustomerId, List<Rcpt.LeftOut>> byCustomer =
        question.leftOut().stream()
            .collect(
                Collectors.groupingBy(
                    each -> each.member().customer(), LinkedHashMap::new, Collectors.toList()));
    byCustomer.forEach(
        (customer, all) -> {
          List<Rcpt.LeftOut> named = all.stream().limit(MailEvent.LeftOut.MAX_NAMED).toList();
          session.emit(
              new MailEvent.LeftOut(
                  customer,
                  session.peer(),
                  transaction.reversePath(),
                  question.address().toString(),
                  named.stream().map(each -> each.member().address().toString()).toList(),
                  all.size(),
                  named.stream().map(each -> why(each.by())).toList()));
        });
  }

  private static String why(RecipientPolicy.Sender.Blocked by) {
    return "the %s's list has %s".formatted(by.byUser() ? "user" : "customer", by.entry());
  }

  private static SmtpSession.Next tooMany(SmtpSession session, EmailAddress address)
      throws IOException {
    return session.refuse(
        Stage.RCPT,
        new Refusal(TOO_MANY, Reason.TOO_MANY_RECIPIENTS, "Too many recipients.", Optional.empty()),
        address.toString());
  }

  // The directory says what it cannot do by a value; should it throw all the same, the client still
  // gets its reply and may come again.
  private static RecipientLookup look(
      EdgeContext context, EmailAddress address, Directory.Asking asking) {
    try {
      return context.directory().lookup(address, asking);
    } catch (RuntimeException e) {
      LOG.error("the directory failed on a look-up", e);
      return new RecipientLookup.Unavailable("it failed with " + e.getClass().getSimpleName());
    }
  }
}
