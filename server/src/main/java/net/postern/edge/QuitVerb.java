package net.postern.edge;

import java.io.IOException;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/** QUIT (RFC 5321 §4.1.1.10). */
final class QuitVerb implements Verb {

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (!argument.isEmpty()) {
      return session.refuse(Stage.COMMAND, Reason.SYNTAX, Replies.NO_ARGUMENT);
    }
    session.say(Reply.of(221, "2.0.0", session.context().hostname() + " closing the connection"));
    return SmtpSession.Next.CLOSE;
  }
}
