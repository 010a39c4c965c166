package net.postern.edge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.edge.check.Check;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.CheckRun;
import net.postern.edge.check.Mail;
import net.postern.edge.check.Pending;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.MailArguments;
import net.postern.smtp.Parsed;
import net.postern.smtp.Reply;
import net.postern.submission.SendLimits;
import net.postern.tenant.Submitter;

/** MAIL (RFC 5321 §4.1.1.2): begins a transaction. */
final class MailVerb implements Verb {
  private static final Reply NESTED =
      Reply.of(503, "5.5.1", "A transaction has begun already; RSET ends it");
  private static final Reply LOGIN_FIRST =
      Reply.of(530, "5.7.0", "Please log in first; that needs TLS");
  private static final Reply OK = Reply.of(250, "2.1.0", "Ok");

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (session.helo().isEmpty()) {
      return session.refuse(Stage.MAIL, Reason.SEQUENCE, Replies.NO_HELO);
    }
    if (session.transaction().isPresent()) {
      return session.refuse(Stage.MAIL, Reason.SEQUENCE, NESTED);
    }
    if (!session.mayTakeMessage()) {
      return session.closing(
          Stage.MAIL, Reason.OVERLOADED, "4.7.0", "Enough messages for one session");
    }
    if (session.service().submission() && session.identity().user().isEmpty()) {
      // RFC 6409 §4.3, RFC 4954 §6.
      return session.refuse(Stage.MAIL, Reason.AUTH_REQUIRED, LOGIN_FIRST);
    }
    return switch (MailArguments.parse(argument, session.service().submission())) {
      case Parsed.Bad<MailArguments> bad -> session.refuse(Stage.MAIL, Reason.SYNTAX, bad.reply());
      case Parsed.Ok<MailArguments> ok -> begin(session, ok.value());
    };
  }

  private static SmtpSession.Next begin(SmtpSession session, MailArguments mail)
      throws IOException {
    EdgeContext context = session.context();
    long announced = mail.size().orElse(0);
    // RFC 1870 §6.1: refused here, the message need not be sent at all.
    if (announced > context.config().maxMessage().bytes()) {
      return session.refuse(Stage.MAIL, Reason.TOO_BIG, Replies.TOO_BIG);
    }
    if (!context.memory().hasRoomFor(announced)) {
      return session.refuse(Stage.MAIL, Reason.OVERLOADED, Replies.OUT_OF_MEMORY);
    }
    Optional<Submitter> user = session.identity().user();
    if (user.isPresent()) {
      Optional<SendLimits.Hindrance> hindrance =
          context.outbound().orElseThrow().limits().ask(user.get(), 0);
      if (hindrance.isPresent()) {
        return session.refuse(
            Stage.MAIL, Outgoing.limit(hindrance.get(), user.get(), context.clock().instant()), "");
      }
    }
    List<Check<Mail>> checks = context.checks(session.service()).mail();
    Mail plain =
        user.isPresent()
            ? Mail.of(session.identity().client(), session.helo(), mail.reversePath(), user.get())
            : new Mail(session.identity().client(), session.helo(), mail.reversePath());
    session.begin(new Transaction(mail, plain));
    // Who sends too much, or may not send at all, is to cost no question to the DNS.
    int quick = CheckRun.leading(checks);
    Optional<SmtpSession.Next> refused =
        session.ask(Stage.MAIL, checks.subList(0, quick), plain, "");
    if (refused.isEmpty()) {
      // Of users who logged in nothing is asked elsewhere.
      Mail question =
          user.isPresent()
              ? plain
              : session
                  .questions()
                  .mail(session.identity().client(), session.helo(), mail.reversePath());
      Transaction begun = new Transaction(mail, question);
      session.begin(begun);
      List<Check<Mail>> waiting = checks.subList(quick, checks.size());
      if (session.questions().isUnwanted(question.client())) {
        // What the filter is told is asked when there is something to filter.
        begun.noteLater(told(waiting, question));
        waiting = waiting.stream().filter(each -> !each.about().reply().isEmpty()).toList();
      }
      refused = session.ask(Stage.MAIL, waiting, question, "");
    }
    if (refused.isPresent()) {
      session.endTransaction();
      return refused.get();
    }
    return session.say(OK);
  }

  private static Pending<List<CheckResult.Note>> told(List<Check<Mail>> checks, Mail question) {
    return Pending.later(
        () -> {
          List<CheckResult.Note> notes = new ArrayList<>();
          for (Check<Mail> each : checks) {
            // One by one: what one cannot do keeps nobody from hearing the others.
            if (each.about().reply().isEmpty()) {
              CheckRun.ask(List.of(each), question, notes::add);
            }
          }
          return notes;
        });
  }
}
