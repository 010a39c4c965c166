package net.postern.edge;

import java.io.IOException;
import java.util.Optional;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.Pipelining;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.ContentDefect;
import net.postern.smtp.DataDecoder;
import net.postern.smtp.Reply;
import net.postern.smtp.WireReader;

/** DATA (RFC 5321 §4.1.1.4): takes a message that ends with CRLF.CRLF. */
final class DataVerb implements Verb {
  private static final Reply GO_AHEAD =
      Reply.plain(354, "Send the message; it ends with CRLF.CRLF");

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (!argument.isEmpty()) {
      return session.refuse(Stage.DATA, Reason.SYNTAX, Replies.NO_ARGUMENT);
    }
    Optional<Transaction> begun = session.transaction();
    if (begun.isEmpty()) {
      return session.refuse(Stage.DATA, Reason.SEQUENCE, Replies.NO_MAIL);
    }
    Transaction transaction = begun.get();
    if (transaction.chunks().isPresent()) {
      // RFC 3030 §2: DATA and BDAT may not be mixed in one transaction.
      return session.refuse(Stage.DATA, Reason.SEQUENCE, Replies.BDAT_BEGUN);
    }
    if (transaction.recipientCount() == 0) {
      // RFC 5321 §3.3: 554 when there is no valid recipient.
      return session.refuse(Stage.DATA, Reason.SEQUENCE, Replies.NO_RECIPIENT);
    }
    if (session.isAhead() && session.context().checks().runs(Pipelining.NAME)) {
      // RFC 2920 §3.1: DATA is the last command of a group; what follows waits for the 354.
      switch (session.context().config().pipeliningAbuse()) {
        case NOTE ->
            transaction.note(
                new CheckResult.Note(
                    Pipelining.UNAUTH_PIPELINING, "sent on before the reply to DATA"));
        case REFUSE -> {
          // Not one word more is read: it is the message, and must not be obeyed as commands.
          session.refuse(Stage.DATA, Pipelining.REFUSAL, "");
          return SmtpSession.Next.CLOSE_LINGERING;
        }
      }
    }
    MessageBuffer buffer = new MessageBuffer(session.context().memory());
    try {
      if (!buffer.open(transaction.mail().size().orElse(0))) {
        return session.refuseMessage(ContentLimit.OUT_OF_MEMORY, transaction.recipients());
      }
      session.say(GO_AHEAD);
      return receive(session, transaction, buffer);
    } finally {
      buffer.release();
    }
  }

  private static SmtpSession.Next receive(
      SmtpSession session, Transaction transaction, MessageBuffer buffer) throws IOException {
    var config = session.context().config();
    long deadline = Math.min(Ticks.after(config.messageTimeout()), session.sessionDeadline());
    session.connection().bound(deadline, Ticks.nanos(config.dataTimeout()));
    WireReader reader = session.reader();
    DataDecoder decoder = new DataDecoder();
    ContentLimit limit = new ContentLimit(config.maxMessage().bytes());
    while (!decoder.ended()) {
      if (limit.storing() && !buffer.ensureRoom()) {
        limit.refuse(ContentLimit.OUT_OF_MEMORY, buffer);
      }
      byte[] into = limit.storing() ? buffer.chunk() : limit.scratch();
      int from = limit.storing() ? buffer.position() : 0;
      int n = reader.read(into, from, into.length - from);
      if (n < 0) {
        return session.ended(Stage.DATA);
      }
      boolean ended = decoder.decode(into, from, from + n);
      if (limit.storing()) {
        buffer.filledTo(decoder.contentEnd());
        if (decoder.defect() != ContentDefect.NONE) {
          limit.refuse(ContentLimit.defect(decoder.defect()), buffer);
        } else if (buffer.size() > limit.maxMessage()) {
          limit.refuse(ContentLimit.TOO_BIG, buffer);
        }
      }
      if (ended) {
        reader.unread(into, decoder.consumed(), from + n);
      } else if (limit.exhaustedBy(n)) {
        return session.closing(
            Stage.DATA, Reason.TOO_BIG, "4.3.4", "The message is far larger than is taken here");
      }
    }
    return Acceptance.finish(session, transaction, buffer, limit);
  }
}
