package net.postern.edge;

import java.io.IOException;
import java.util.Map;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/** The commands that are understood. */
final class Verbs {
  private static final Map<String, Verb> ALL =
      Map.ofEntries(
          Map.entry("EHLO", new EhloVerb()),
          Map.entry("HELO", new HeloVerb()),
          Map.entry("STARTTLS", new StarttlsVerb()),
          Map.entry("AUTH", new AuthVerb()),
          Map.entry("XCLIENT", new XclientVerb()),
          Map.entry("MAIL", new MailVerb()),
          Map.entry("RCPT", new RcptVerb()),
          Map.entry("DATA", new DataVerb()),
          Map.entry("BDAT", new BdatVerb()),
          Map.entry("RSET", new RsetVerb()),
          Map.entry("NOOP", new NoopVerb()),
          Map.entry("VRFY", new VrfyVerb()),
          Map.entry("HELP", new HelpVerb()),
          Map.entry("QUIT", new QuitVerb()),
          // RFC 5321 §4.2.4: known elsewhere, not here: 502, not 500.
          Map.entry("EXPN", Verbs::notImplemented),
          Map.entry("ETRN", Verbs::notImplemented),
          Map.entry("TURN", Verbs::notImplemented),
          Map.entry("SEND", Verbs::notImplemented),
          Map.entry("SOML", Verbs::notImplemented),
          Map.entry("SAML", Verbs::notImplemented),
          // A web browser that was talked into posting to a mail server.
          Map.entry("GET", Verbs::foreignProtocol),
          Map.entry("POST", Verbs::foreignProtocol),
          Map.entry("CONNECT", Verbs::foreignProtocol));

  private static final Reply NOT_IMPLEMENTED = Reply.of(502, "5.5.1", "Command not implemented");
  private static final Reply NOT_RECOGNIZED = Reply.of(500, "5.5.2", "Command not recognized");

  private Verbs() {}

  /**
   * @param name upper case
   */
  static Verb find(String name) {
    return ALL.getOrDefault(name, Verbs::notRecognized);
  }

  private static SmtpSession.Next notRecognized(SmtpSession session, String argument)
      throws IOException {
    return session.refuse(Stage.COMMAND, Reason.SYNTAX, NOT_RECOGNIZED);
  }

  private static SmtpSession.Next notImplemented(SmtpSession session, String argument)
      throws IOException {
    return session.refuse(Stage.COMMAND, Reason.SYNTAX, NOT_IMPLEMENTED);
  }

  private static SmtpSession.Next foreignProtocol(SmtpSession session, String argument) {
    return session.closing(
        Stage.COMMAND, Reason.FOREIGN_PROTOCOL, "4.7.0", "This is a mail server");
  }
}
