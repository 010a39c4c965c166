package net.postern.edge;

import java.io.IOException;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Parsed;
import net.postern.smtp.Reply;
import net.postern.smtp.XclientArguments;

/** XCLIENT (Postfix' XCLIENT_README): a proxy says whose dialogue it passes on. */
final class XclientVerb implements Verb {

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (!session.identity().mayXclient()) {
      return session.refuse(
          Stage.COMMAND,
          Reason.PROXY,
          Reply.of(550, "5.7.0", "XCLIENT is not for clients of this network"));
    }
    if (session.transaction().isPresent()) {
      return session.refuse(
          Stage.COMMAND, Reason.SEQUENCE, Reply.of(503, "5.5.1", "Not inside a transaction"));
    }
    return switch (XclientArguments.parse(argument)) {
      case Parsed.Bad<XclientArguments> bad ->
          session.refuse(Stage.COMMAND, Reason.SYNTAX, bad.reply());
      case Parsed.Ok<XclientArguments> ok -> session.standFor(ok.value());
    };
  }
}
