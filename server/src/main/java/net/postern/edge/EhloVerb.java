package net.postern.edge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.config.EdgeConfig;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.smtp.XclientArguments;

/** EHLO (RFC 5321 §4.1.1.1): who the client is, and what we offer. */
final class EhloVerb implements Verb {
  /** A domain, or an address literal, has no more octets (RFC 5321 §4.5.3.1.2). */
  private static final int MAX_NAME = 255;

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    if (!acceptableName(argument)) {
      return session.refuse(
          Stage.HELO, Reason.SYNTAX, Reply.of(501, "5.5.4", "EHLO takes your host name"));
    }
    Optional<SmtpSession.Next> refused = session.greet(argument, true);
    if (refused.isPresent()) {
      return refused.get();
    }
    return session.say(offer(session));
  }

  /**
   * RFC 5321 §4.1.4: a name that is wrong is no reason to refuse mail; it only has to be one word
   * that can be written down in a Received field (RFC 5321 §4.4).
   */
  static boolean acceptableName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) {
      return false;
    }
    return name.chars().noneMatch(c -> c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '"');
  }

  private static Reply offer(SmtpSession session) {
    EdgeConfig config = session.context().config();
    boolean tls = !session.connection().tls().isEmpty();
    List<String> lines = new ArrayList<>(10);
    lines.add(session.context().hostname());
    lines.add("PIPELINING"); // RFC 2920
    lines.add("SIZE " + config.maxMessage().bytes()); // RFC 1870 §4
    lines.add("8BITMIME"); // RFC 6152
    lines.add("SMTPUTF8"); // RFC 6531
    lines.add("ENHANCEDSTATUSCODES"); // RFC 2034
    lines.add("CHUNKING"); // RFC 3030 §2
    if (config.starttls() && !tls) {
      lines.add("STARTTLS"); // RFC 3207 §4.2: not offered again inside TLS
    }
    List<String> mechanisms = AuthVerb.offered(session);
    if (!mechanisms.isEmpty()) {
      lines.add("AUTH " + String.join(" ", mechanisms)); // RFC 4954 §3
    }
    if (session.identity().mayXclient()) {
      lines.add(XclientArguments.OFFER);
    }
    return new Reply(250, "", lines);
  }
}
