package net.postern.edge;

import java.io.IOException;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** STARTTLS (RFC 3207). */
final class StarttlsVerb implements Verb {
  private static final Logger LOG = LoggerFactory.getLogger(StarttlsVerb.class);

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    EdgeContext context = session.context();
    if (!context.config().starttls()) {
      return session.refuse(
          Stage.STARTTLS, Reason.SYNTAX, Reply.of(502, "5.5.1", "STARTTLS is not offered"));
    }
    if (!argument.isEmpty()) {
      // RFC 3207 §4: 501 Syntax error (no parameters allowed).
      return session.refuse(Stage.STARTTLS, Reason.SYNTAX, Replies.NO_ARGUMENT);
    }
    if (!session.connection().tls().isEmpty()) {
      return session.refuse(
          Stage.STARTTLS, Reason.SEQUENCE, Reply.of(503, "5.5.1", "TLS is on already"));
    }
    if (session.transaction().isPresent()) {
      return session.refuse(
          Stage.STARTTLS, Reason.SEQUENCE, Reply.of(503, "5.5.1", "Not inside a transaction"));
    }
    if (session.reader().hasBuffered()) {
      // RFC 3207 §4: STARTTLS has to be the last command of a group. What follows it in the clear
      // may have been put there by someone in between, to be obeyed as if it had come over TLS.
      session.refuse(
          Stage.STARTTLS,
          Reason.SEQUENCE,
          Reply.of(554, "5.5.0", "Nothing may be sent after STARTTLS before its reply"));
      return SmtpSession.Next.CLOSE_LINGERING;
    }
    var tls = context.tls().get();
    Connection connection = session.connection();
    connection.reply(Reply.of(220, "2.0.0", "Ready to start TLS"));
    connection.flush();
    try {
      connection.startTls(
          tls,
          session.service(),
          session.identity().asksForCertificate(),
          Math.min(Ticks.after(context.config().commandTimeout()), session.sessionDeadline()));
    } catch (IOException e) {
      LOG.debug("TLS with {} failed: {}", session.identity().client().address(), e.toString());
      session.tlsFailed();
      return SmtpSession.Next.CLOSE;
    }
    session.forgetDialogue();
    return SmtpSession.Next.CONTINUE;
  }
}
