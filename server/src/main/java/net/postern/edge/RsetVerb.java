package net.postern.edge;

import java.io.IOException;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;

/** RSET (RFC 5321 §4.1.1.5): forgets the transaction, keeps the greeting. */
final class RsetVerb implements Verb {

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (!argument.isEmpty()) {
      return session.refuse(Stage.COMMAND, Reason.SYNTAX, Replies.NO_ARGUMENT);
    }
    session.endTransaction();
    return session.say(Replies.OK);
  }
}
