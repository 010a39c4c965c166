package net.postern.edge;

import java.io.IOException;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/** VRFY (RFC 5321 §3.5.3, §7.3): 252, because a truthful answer is what harvesters are after. */
final class VrfyVerb implements Verb {

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (argument.isEmpty()) {
      return session.refuse(
          Stage.COMMAND, Reason.SYNTAX, Reply.of(501, "5.5.4", "VRFY takes a name"));
    }
    return session.say(Reply.of(252, "2.5.0", "Not verified here; send mail and RCPT will tell"));
  }
}
