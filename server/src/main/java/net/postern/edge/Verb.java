package net.postern.edge;

import java.io.IOException;

/** One SMTP command. Stateless: what is known of the dialogue is in the session. */
@FunctionalInterface
interface Verb {

  /**
   * Does what the command asks and replies.
   *
   * @param argument what followed the verb, without the spaces around it; may be empty
   * @throws IOException when the connection broke
   */
  SmtpSession.Next handle(SmtpSession session, String argument) throws IOException;
}
