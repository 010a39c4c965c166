package net.postern.edge;

import java.io.IOException;
import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/** HELO (RFC 5321 §4.1.1.1): the greeting of a client without extensions. */
final class HeloVerb implements Verb {

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (!EhloVerb.acceptableName(argument)) {
      return session.refuse(
          Stage.HELO, Reason.SYNTAX, Reply.of(501, "5.5.4", "HELO takes your host name"));
    }
    Optional<SmtpSession.Next> refused = session.greet(argument, false);
    if (refused.isPresent()) {
      return refused.get();
    }
    return session.say(Reply.plain(250, session.context().hostname()));
  }
}
