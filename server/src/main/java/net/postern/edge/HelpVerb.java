package net.postern.edge;

import java.io.IOException;
import net.postern.smtp.Reply;

/** HELP (RFC 5321 §4.1.1.8). */
final class HelpVerb implements Verb {
  private static final Reply HELP =
      Reply.of(
          214,
          "2.0.0",
          "Commands: EHLO HELO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT");

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    return session.say(HELP);
  }
}
