package net.postern.edge;

import java.io.IOException;

/** NOOP (RFC 5321 §4.1.1.9): an argument is allowed and ignored. */
final class NoopVerb implements Verb {

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    return session.say(Replies.OK);
  }
}
