package net.postern.smtp.client;

import net.postern.smtp.Reply;

/** What an attempt to open a connection came to. */
public sealed interface ConnectResult {

  /** Ready for a transaction. The caller owns it and ends it. */
  record Connected(SmtpConnection connection) implements ConnectResult {}

  /** The server answered, and does not want to talk: at the greeting, HELO or STARTTLS. */
  record Refused(Reply reply, String stage) implements ConnectResult {}

  /** Nobody answered, or not in SMTP. */
  record Failed(String why) implements ConnectResult {}

  /** {@link TlsMode#VERIFIED} could not be had. */
  record Untrusted(String why) implements ConnectResult {}
}
