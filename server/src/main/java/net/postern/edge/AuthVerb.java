package net.postern.edge;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.events.Reference;
import net.postern.sasl.PlainMessage;
import net.postern.sasl.ScramServer;
import net.postern.smtp.Reply;
import net.postern.smtp.WireReader;
import net.postern.submission.Authenticator;
import net.postern.submission.Login;
import net.postern.submission.Outbound;
import net.postern.tenant.Submitter;

/** AUTH (RFC 4954): PLAIN, LOGIN, SCRAM-SHA-256 and its PLUS form. */
final class AuthVerb implements Verb {
  private static final String PLAIN = "PLAIN";
  private static final String LOGIN = "LOGIN";
  private static final String SCRAM = "SCRAM-SHA-256";
  private static final String SCRAM_PLUS = "SCRAM-SHA-256-PLUS";

  /** Failed logins after which a session ends. */
  private static final int MAX_FAILURES = 3;

  private static final Reply NOT_OFFERED = Reply.of(502, "5.5.1", "Command not implemented");
  private static final Reply CANCELLED = Reply.of(501, "5.7.0", "Cancelled");
  private static final Reply MALFORMED =
      Reply.of(501, "5.5.2", "That is not what the mechanism asks for");
  private static final Reply WRONG =
      Reply.of(535, "5.7.8", "The user name or the password is not right");

  /** What a client answers to a challenge. */
  private sealed interface Answer {
    record Data(byte[] bytes) implements Answer {}

    /** It is over: this was the reply, or the connection is gone. */
    record Over(SmtpSession.Next next) implements Answer {}
  }

  /** The mechanisms as EHLO offers them; empty when nobody may log in on this connection. */
  static List<String> offered(SmtpSession session) {
    Optional<Outbound> outbound = session.context().outbound();
    if (!session.service().submission() || outbound.isEmpty() || !isPrivate(session)) {
      return List.of();
    }
    List<String> mechanisms = new ArrayList<>(4);
    if (outbound.get().logins().offersScram()) {
      if (!session.connection().bindings().isEmpty()) {
        mechanisms.add(SCRAM_PLUS);
      }
      mechanisms.add(SCRAM);
    }
    mechanisms.add(PLAIN);
    mechanisms.add(LOGIN);
    return mechanisms;
  }

  // RFC 4954 §4, RFC 8314 §3.3: passwords are asked for inside TLS only.
  private static boolean isPrivate(SmtpSession session) {
    return !session.connection().tls().isEmpty()
        || (session.context().outbound().orElseThrow().config().plainOnLoopback()
            && session.identity().client().address().isLoopbackAddress());
  }

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    Optional<Outbound> outbound = session.context().outbound();
    if (!session.service().submission() || outbound.isEmpty()) {
      return session.refuse(Stage.AUTH, Reason.SYNTAX, NOT_OFFERED);
    }
    if (!session.extended()) {
      return session.refuse(Stage.AUTH, Reason.SEQUENCE, Reply.of(503, "5.5.1", "Send EHLO first"));
    }
    if (session.identity().user().isPresent()) {
      // RFC 4954 §4: no more than one in a session.
      return session.refuse(
          Stage.AUTH, Reason.SEQUENCE, Reply.of(503, "5.5.1", "You are logged in already"));
    }
    if (session.transaction().isPresent()) {
      return session.refuse(
          Stage.AUTH, Reason.SEQUENCE, Reply.of(503, "5.5.1", "Not inside a transaction"));
    }
    if (!isPrivate(session)) {
      return session.refuse(
          Stage.AUTH, Reason.AUTH_REQUIRED, Reply.of(538, "5.7.11", "Begin TLS before logging in"));
    }
    int space = argument.indexOf(' ');
    String mechanism =
        (space < 0 ? argument : argument.substring(0, space)).toUpperCase(Locale.ROOT);
    Optional<String> initial =
        space < 0 ? Optional.empty() : Optional.of(argument.substring(space + 1).strip());
    if (mechanism.isEmpty()) {
      return session.refuse(
          Stage.AUTH, Reason.SYNTAX, Reply.of(501, "5.5.4", "AUTH takes a mechanism"));
    }
    if (!offered(session).contains(mechanism)) {
      return session.refuse(
          Stage.AUTH, Reason.SYNTAX, Reply.of(504, "5.5.4", "This mechanism is not offered"));
    }
    try {
      return switch (mechanism) {
        case PLAIN -> plain(session, outbound.get().logins(), initial);
        case LOGIN -> login(session, outbound.get().logins(), initial);
        default -> scram(session, outbound.get().logins(), mechanism, initial);
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return session.refuse(Stage.AUTH, Reason.SHUTTING_DOWN, Replies.NO_LOGIN_NOW);
    }
  }

  private static SmtpSession.Next plain(
      SmtpSession session, Authenticator logins, Optional<String> initial)
      throws IOException, InterruptedException {
    return switch (first(session, initial, "")) {
      case Answer.Over(SmtpSession.Next next) -> next;
      case Answer.Data(byte[] bytes) -> {
        Optional<PlainMessage> message = PlainMessage.parse(bytes);
        yield message.isEmpty()
            ? malformed(session)
            : end(
                session,
                PLAIN,
                message.get().name(),
                logins.password(
                    message.get().authorization(),
                    message.get().name(),
                    message.get().password(),
                    session.identity().client().address()));
      }
    };
  }

  // Of no standard (draft-murchison-sasl-login); the texts of the challenges are what clients
  // expect.
  private static SmtpSession.Next login(
      SmtpSession session, Authenticator logins, Optional<String> initial)
      throws IOException, InterruptedException {
    byte[] name;
    switch (first(session, initial, "Username:")) {
      case Answer.Over(SmtpSession.Next next) -> {
        return next;
      }
      case Answer.Data(byte[] bytes) -> name = bytes;
    }
    return switch (ask(session, "Password:")) {
      case Answer.Over(SmtpSession.Next next) -> next;
      case Answer.Data(byte[] password) -> {
        Optional<String> who = PlainMessage.utf8(name);
        Optional<String> secret = PlainMessage.utf8(password);
        yield who.isEmpty() || secret.isEmpty()
            ? malformed(session)
            : end(
                session,
                LOGIN,
                who.get(),
                logins.password(
                    "", who.get(), secret.get(), session.identity().client().address()));
      }
    };
  }

  private static SmtpSession.Next scram(
      SmtpSession session, Authenticator logins, String mechanism, Optional<String> initial)
      throws IOException {
    byte[] begin;
    switch (first(session, initial, "")) {
      case Answer.Over(SmtpSession.Next next) -> {
        return next;
      }
      case Answer.Data(byte[] bytes) -> begin = bytes;
    }
    Optional<ScramServer> server =
        ScramServer.begin(begin, mechanism.equals(SCRAM_PLUS), session.connection().bindings());
    if (server.isEmpty()) {
      return malformed(session);
    }
    String name = server.get().user();
    Authenticator.Proof proof;
    switch (logins.challenge(server.get(), session.identity().client().address())) {
      case Authenticator.Challenge.Ended(Login login) -> {
        return end(session, mechanism, name, login);
      }
      case Authenticator.Challenge.Given(Authenticator.Proof given) -> proof = given;
    }
    try {
      return switch (ask(session, proof.challenge())) {
        case Answer.Over(SmtpSession.Next next) -> next;
        case Answer.Data(byte[] last) ->
            switch (proof.finish(last)) {
              case Authenticator.ProofResult.Malformed() -> malformed(session);
              case Authenticator.ProofResult.Ended(Login.Ok ok, String message) ->
                  // RFC 4954 §4: what a server says besides success is one more challenge.
                  switch (ask(session, message)) {
                    case Answer.Over(SmtpSession.Next next) -> next;
                    case Answer.Data(byte[] empty) ->
                        empty.length > 0 ? malformed(session) : end(session, mechanism, name, ok);
                  };
              case Authenticator.ProofResult.Ended(Login login, String message) ->
                  end(session, mechanism, name, login);
            };
      };
    } finally {
      proof.abandon();
    }
  }

  private static SmtpSession.Next malformed(SmtpSession session) throws IOException {
    return session.refuse(Stage.AUTH, Reason.SYNTAX, MALFORMED);
  }

  private static SmtpSession.Next end(
      SmtpSession session, String mechanism, String name, Login login) throws IOException {
    MailEvent.Peer peer = session.peer();
    return switch (login) {
      case Login.Ok(Submitter user) -> {
        session.identity().loggedIn(user);
        session.emit(new MailEvent.LoggedIn(peer, user.customer(), user.name(), mechanism));
        yield session.say(Reply.of(235, "2.7.0", "Welcome"));
      }
      case Login.Wrong(String why) -> {
        Reference reference = session.context().reference(Reason.LOGIN_FAILED);
        session.emit(new MailEvent.AuthFailed(peer, name, mechanism, why, reference));
        yield failed(session, WRONG, reference);
      }
      case Login.Locked(String scope, Duration left) -> {
        Reference reference = session.context().reference(Reason.LOGIN_LOCKED);
        session.emit(new MailEvent.LoginLocked(peer, name, scope, left, reference));
        yield failed(
            session,
            Reply.of(
                454,
                "4.7.0",
                "Too many wrong passwords, please try again in %d minutes"
                    .formatted(left.toMinutes() + 1)),
            reference);
      }
      case Login.Unavailable(String why) ->
          session.refuse(
              Stage.AUTH,
              new net.postern.edge.check.Refusal(
                  Replies.NO_LOGIN_NOW,
                  Reason.OVERLOADED,
                  "Nobody can log in: " + why + ".",
                  Optional.empty()),
              "");
    };
  }

  private static SmtpSession.Next failed(SmtpSession session, Reply reply, Reference reference)
      throws IOException {
    session.delay(session.context().outbound().orElseThrow().config().failureDelay());
    return session.identity().countFailedLogin() >= MAX_FAILURES
        ? session.closing(Stage.AUTH, Reason.TOO_MANY_ERRORS, "4.7.0", "Too many failed logins")
        : session.deny(Stage.AUTH, session.context().explained(reply, reference));
  }

  // RFC 4954 §4: "=" is an initial response of no octets.
  private static Answer first(SmtpSession session, Optional<String> initial, String challenge)
      throws IOException {
    if (initial.isEmpty()) {
      return ask(session, challenge);
    }
    return decode(session, initial.get().equals("=") ? "" : initial.get());
  }

  private static Answer ask(SmtpSession session, String challenge) throws IOException {
    String encoded = Base64.getEncoder().encodeToString(challenge.getBytes(StandardCharsets.UTF_8));
    // RFC 4954 §4: 334 and the challenge, also when that is empty.
    session.say(Reply.plain(334, encoded));
    session.boundCommand();
    return switch (session.reader().readLine(WireReader.MAX_AUTH_LINE)) {
      case COMPLETE ->
          decode(session, new String(session.reader().line(), StandardCharsets.ISO_8859_1));
      case TOO_LONG ->
          new Answer.Over(session.refuse(Stage.AUTH, Reason.LINE_TOO_LONG, Replies.LINE_TOO_LONG));
      case BARE_LINE_END ->
          new Answer.Over(session.refuse(Stage.AUTH, Reason.BARE_LINE_END, Replies.BARE_LINE_END));
      case ENDLESS ->
          new Answer.Over(
              session.closing(Stage.AUTH, Reason.LINE_TOO_LONG, "4.7.0", "The line has no end"));
      case END_OF_STREAM -> new Answer.Over(session.ended(Stage.AUTH));
    };
  }

  private static Answer decode(SmtpSession session, String text) throws IOException {
    if (text.equals("*")) {
      return new Answer.Over(session.refuse(Stage.AUTH, Reason.SYNTAX, CANCELLED));
    }
    try {
      return new Answer.Data(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      return new Answer.Over(
          session.refuse(Stage.AUTH, Reason.SYNTAX, Reply.of(501, "5.5.2", "That is not base64")));
    }
  }
}
