package net.postern.edge;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import net.postern.edge.check.Check;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.CheckRun;
import net.postern.edge.check.Connect;
import net.postern.edge.check.Helo;
import net.postern.edge.check.Questions;
import net.postern.edge.check.Refusal;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import net.postern.intake.Envelope;
import net.postern.smtp.Command;
import net.postern.smtp.Parsed;
import net.postern.smtp.Reply;
import net.postern.smtp.WireReader;
import net.postern.smtp.XclientArguments;
import net.postern.tenant.Recipient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's dialogue, on a thread of its own. Only {@link #drain} and {@link #cut} may be called
 * by other threads.
 */
final class SmtpSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final Duration SOFT_ERROR_DELAY = Duration.ofSeconds(1);

  /** How the dialogue goes on after a command. */
  enum Next {
    CONTINUE,
    /** Our last reply is out, and the client knows that it was. */
    CLOSE,
    /** The client may still be sending; let it read why it is sent away. */
    CLOSE_LINGERING
  }

  private final EdgeContext context;
  private final Connection connection;
  private final Service service;
  private final Identity identity;
  private final long sessionDeadline;
  private WireReader reader;
  private String helo = "";
  private boolean extended;

  // What checks have to tell the filter of this client, whatever it sends.
  private final List<CheckResult.Note> connectNotes = new ArrayList<>();
  private final List<CheckResult.Note> heloNotes = new ArrayList<>();
  private final Missteps missteps;
  private int messages;
  private Optional<Transaction> transaction = Optional.empty();
  private boolean inTransaction;

  /**
   * Whether it waits for a command between two transactions, where a drain may end the wait. Taken
   * back by whoever comes first, the session with a command or the drain: input that is shut while
   * a transaction begins would break off a message after its 354.
   */
  private final AtomicBoolean mayBeWoken = new AtomicBoolean();

  /**
   * @param client who is at the other end, behind a proxy too
   */
  SmtpSession(EdgeContext context, Service service, Connection connection, InetAddress client) {
    this.context = context;
    this.service = service;
    this.connection = connection;
    this.identity = new Identity(context, service, connection, client);
    this.missteps = new Missteps(context.config());
    this.sessionDeadline = Ticks.after(context.config().sessionTimeout());
    this.reader = new WireReader(connection);
  }

  /** Talks until either side ends it. The connection is closed afterwards, whatever happens. */
  void run() {
    Next end = Next.CLOSE;
    try {
      end = service == Service.SUBMISSIONS ? beginTls() : Next.CONTINUE;
      if (end == Next.CONTINUE) {
        end = connected();
      }
      if (end == Next.CONTINUE) {
        // RFC 5321 §3.1, §4.3.1: 220, our name, and that we speak the extensions.
        reply(greeting());
        end = talk();
      }
    } catch (IOException e) {
      LOG.debug("session with {} broke off: {}", identity.address(), e.toString());
    } catch (RuntimeException | Error e) {
      LOG.error("session with {} failed", identity.address(), e);
      end = closing(Stage.COMMAND, Reason.INTERNAL, "4.3.0", "Internal error, please try again");
    } finally {
      endTransaction();
      connection.finish(end == Next.CLOSE_LINGERING);
    }
  }

  private Reply greeting() {
    return Reply.plain(220, context.hostname() + " ESMTP Postern");
  }

  // RFC 8314 §3.3: the handshake comes before the greeting.
  private Next beginTls() {
    try {
      connection.startTls(
          context.tls().get(),
          service,
          identity.asksForCertificate(),
          Math.min(Ticks.after(context.config().commandTimeout()), sessionDeadline));
      reader = new WireReader(connection);
      return Next.CONTINUE;
    } catch (IOException e) {
      LOG.debug("TLS with {} failed: {}", identity.address(), e.toString());
      tlsFailed();
      return Next.CLOSE;
    }
  }

  // RFC 5321 §3.1: 554 in place of the greeting, and then nothing but QUIT is of use.
  private Next connected() throws IOException {
    mayBeWoken.set(true);
    if (context.isDraining()) {
      return shuttingDown();
    }
    Connect question = new Connect(identity.client(), connection::listen);
    Optional<Next> refused =
        ask(Stage.CONNECT, context.checks(service).connect(), question, "", connectNotes::add);
    if (refused.isPresent()) {
      return Next.CLOSE_LINGERING;
    }
    return mayBeWoken.compareAndSet(true, false) ? Next.CONTINUE : shuttingDown();
  }

  private Next talk() throws IOException {
    Next next = Next.CONTINUE;
    while (next == Next.CONTINUE) {
      boolean between = !inTransaction;
      mayBeWoken.set(between);
      // Asked after that: a drain that begins from here on wakes the session.
      if (between && context.isDraining()) {
        return shuttingDown();
      }
      boundCommand();
      // RFC 4954 §4: an AUTH command with its initial response may be long.
      boolean mayLogIn = service.submission() && identity.user().isEmpty();
      WireReader.Line line =
          reader.readLine(mayLogIn ? WireReader.MAX_AUTH_LINE : WireReader.MAX_COMMAND_LINE);
      if (between && !mayBeWoken.compareAndSet(true, false)) {
        return shuttingDown();
      }
      next =
          switch (line) {
            case COMPLETE -> command();
            case TOO_LONG -> refuse(Stage.COMMAND, Reason.LINE_TOO_LONG, Replies.LINE_TOO_LONG);
            case BARE_LINE_END ->
                refuse(Stage.COMMAND, Reason.BARE_LINE_END, Replies.BARE_LINE_END);
            case ENDLESS ->
                closing(Stage.COMMAND, Reason.LINE_TOO_LONG, "4.7.0", "The line has no end");
            case END_OF_STREAM -> ended(Stage.COMMAND);
          };
    }
    return next;
  }

  /** Bounds the wait for the client's next line. */
  void boundCommand() {
    connection.bound(
        Math.min(Ticks.after(context.config().commandTimeout()), sessionDeadline), Ticks.NEVER);
  }

  private Next command() throws IOException {
    return switch (reader.command()) {
      case Parsed.Bad<Command> bad -> refuse(Stage.COMMAND, Reason.SYNTAX, bad.reply());
      case Parsed.Ok<Command> ok -> {
        String verb = ok.value().verb();
        Missteps.Outcome outcome = missteps.command(verb, !helo.isEmpty());
        if (outcome == Missteps.Outcome.ENOUGH) {
          yield closing(Stage.COMMAND, Reason.TOO_MANY_ERRORS, "4.7.0", "Too many idle commands");
        }
        if (outcome == Missteps.Outcome.SLOW) {
          delay(SOFT_ERROR_DELAY);
        }
        yield Verbs.find(verb).handle(this, ok.value().argument());
      }
    };
  }

  /** What to do when a read found the end of the stream: it may be our own doing. */
  Next ended(Stage stage) throws IOException {
    if (connection.expired()) {
      // RFC 5321 §4.5.3.2: a server waits so long and not longer.
      return closing(stage, Reason.TIMEOUT, "4.4.2", "Timeout, closing the connection");
    }
    return context.isDraining() ? shuttingDown() : Next.CLOSE;
  }

  private Next shuttingDown() {
    return closing(
        Stage.COMMAND, Reason.SHUTTING_DOWN, "4.3.2", "Shutting down, please try again soon");
  }

  /** Says 421 (RFC 5321 §3.8) and ends the session. */
  Next closing(Stage stage, Reason reason, String enhanced, String why) {
    Reply reply = Replies.closing(enhanced, context.hostname(), why);
    Reference reference = context.reference(reason);
    emit(stage, reason, reply, why + ".", "", Optional.empty(), reference);
    try {
      reply(context.explained(reply, reference));
    } catch (IOException e) {
      LOG.debug("no 421 to {}: {}", identity.address(), e.toString());
    }
    return Next.CLOSE_LINGERING;
  }

  /** A reply that is no refusal. */
  Next say(Reply reply) throws IOException {
    reply(reply);
    return Next.CONTINUE;
  }

  private void reply(Reply reply) throws IOException {
    connection.reply(reply);
  }

  /** A refusal that says the same to the client and to us. */
  Next refuse(Stage stage, Reason reason, Reply reply) throws IOException {
    return refuse(stage, new Refusal(reply, reason, reply.text() + ".", Optional.empty()), "");
  }

  /**
   * Tells the client no, counts it, and slows down or ends the session when it was too often.
   *
   * @param recipient whom it was about, or empty
   */
  Next refuse(Stage stage, Refusal refusal, String recipient) throws IOException {
    Reference reference = context.reference(refusal.reason());
    emit(
        stage,
        refusal.reason(),
        refusal.reply(),
        refusal.cause(),
        recipient,
        refusal.customer(),
        reference);
    return hold(refusal.delay())
        ? deny(stage, context.explained(refusal.reply(), reference))
        : tooManyHeld(stage);
  }

  /**
   * The same for a message whose recipients were accepted: one event for each of them and its
   * customer, one reply, one error.
   */
  Next refuseMessage(Refusal refusal, List<Recipient> recipients) throws IOException {
    Reference reference = context.reference(refusal.reason());
    for (Recipient recipient : recipients) {
      emit(
          Stage.DATA,
          refusal.reason(),
          refusal.reply(),
          refusal.cause(),
          recipient.address().toString(),
          Optional.of(recipient.customer()),
          reference);
    }
    return deny(Stage.DATA, context.explained(refusal.reply(), reference));
  }

  /** The same where what happened was told by another event. */
  Next deny(Stage stage, Reply reply) throws IOException {
    if (reply.permanentFailure()) {
      Missteps.Outcome outcome = missteps.error();
      if (outcome == Missteps.Outcome.ENOUGH) {
        return closing(stage, Reason.TOO_MANY_ERRORS, "4.7.0", "Too many errors");
      }
      if (outcome == Missteps.Outcome.SLOW) {
        delay(SOFT_ERROR_DELAY);
      }
    }
    reply(reply);
    return Next.CONTINUE;
  }

  // Lets the client wait; false when too many do already.
  private boolean hold(Duration wait) throws IOException {
    if (wait.isZero()) {
      return true;
    }
    connection.flush();
    long left = Math.max(0, sessionDeadline - Ticks.now());
    return context.tarpit().hold(Duration.ofNanos(Math.min(Ticks.nanos(wait), left)));
  }

  private Next tooManyHeld(Stage stage) {
    return closing(stage, Reason.RATE_LIMIT, "4.7.0", "Too busy for you, please try again later");
  }

  /** Lets the client wait, unless we shut down. */
  void delay(Duration by) throws IOException {
    connection.flush();
    try {
      if (context.draining().await(by.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.debug("delay of {} ended by shutdown", identity.address());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void emit(
      Stage stage,
      Reason reason,
      Reply reply,
      String cause,
      String recipient,
      Optional<CustomerId> customer,
      Reference reference) {
    context
        .events()
        .emit(
            new MailEvent.Refused(
                stage,
                reason,
                reply.code(),
                reply.enhanced(),
                cause,
                peer(),
                transaction.map(Transaction::reversePath).orElse(""),
                recipient,
                customer,
                reference));
  }

  /** The client and we did not agree on TLS; there is no reply that it could still read. */
  void tlsFailed() {
    Reason reason = connection.expired() ? Reason.TIMEOUT : Reason.SYNTAX;
    emit(
        Stage.STARTTLS,
        reason,
        Reply.of(454, "4.7.0", "TLS failed"),
        "The TLS handshake failed.",
        "",
        Optional.empty(),
        context.reference(reason));
  }

  /** The client as events have it. */
  MailEvent.Peer peer() {
    return new MailEvent.Peer(identity.address(), helo, connection.tls());
  }

  void emit(MailEvent event) {
    context.events().emit(event);
  }

  Service service() {
    return service;
  }

  /** Whether the client said EHLO. */
  boolean extended() {
    return extended;
  }

  /** Who is at the other end. */
  Identity identity() {
    return identity;
  }

  /** Who makes what the checks look at. */
  Questions questions() {
    return context.checks(service).questions();
  }

  /** Takes someone else for the client from now on, and begins anew with the greeting. */
  Next standFor(XclientArguments told) throws IOException {
    if (!identity.standFor(told)) {
      return refuse(
          Stage.AUTH,
          new Refusal(
              Replies.NO_LOGIN_NOW,
              Reason.DATABASE_UNAVAILABLE,
              "It cannot be said who logged in at the proxy: the database is away.",
              Optional.empty()),
          "");
    }
    endTransaction();
    helo = "";
    extended = false;
    connectNotes.clear();
    heloNotes.clear();
    Next next = connected();
    return next == Next.CONTINUE ? say(greeting()) : next;
  }

  EdgeContext context() {
    return context;
  }

  Connection connection() {
    return connection;
  }

  WireReader reader() {
    return reader;
  }

  long sessionDeadline() {
    return sessionDeadline;
  }

  /** What the client called itself; empty before EHLO or HELO. */
  String helo() {
    return helo;
  }

  /** RFC 3848, RFC 6531 §4.3: the name of the protocol for the Received field. */
  String protocol(boolean utf8) {
    String name = utf8 ? "UTF8SMTP" : extended ? "ESMTP" : "SMTP";
    String secure = connection.tls().isEmpty() || !extended ? name : name + "S";
    return identity.user().isEmpty() || !extended ? secure : secure + "A";
  }

  /**
   * Asks the checks of EHLO and HELO, and takes the name. RFC 5321 §4.1.4: both also do what RSET
   * does; after one that was refused, what was agreed before still stands.
   *
   * @return how it goes on after a refusal; empty when there is none
   */
  Optional<Next> greet(String said, boolean byEhlo) throws IOException {
    String name = identity.toldHelo().orElse(said);
    List<CheckResult.Note> notes = new ArrayList<>();
    Helo question = new Helo(identity.client(), name, isAhead());
    Optional<Next> refused =
        ask(Stage.HELO, context.checks(service).helo(), question, "", notes::add);
    if (refused.isEmpty()) {
      endTransaction();
      helo = name;
      extended = byEhlo;
      heloNotes.clear();
      heloNotes.addAll(notes);
    }
    return refused;
  }

  /** {@link #ask} for a transaction that has begun: it keeps the notes. */
  <Q> Optional<Next> ask(Stage stage, List<Check<Q>> checks, Q question, String recipient)
      throws IOException {
    Transaction begun = transaction.orElseThrow();
    return ask(stage, checks, question, recipient, begun::note);
  }

  /**
   * Tells the client what the first check that refuses has to say.
   *
   * @param notes gets what checks have to tell the filter
   * @return how it goes on after a refusal; empty when there is none
   */
  <Q> Optional<Next> ask(
      Stage stage,
      List<Check<Q>> checks,
      Q question,
      String recipient,
      Consumer<CheckResult.Note> notes)
      throws IOException {
    Duration[] wait = {Duration.ZERO};
    Optional<CheckRun.Refused> refused =
        CheckRun.ask(
            checks,
            question,
            notes,
            each -> wait[0] = each.compareTo(wait[0]) > 0 ? each : wait[0]);
    if (refused.isEmpty()) {
      return hold(wait[0]) ? Optional.empty() : Optional.of(tooManyHeld(stage));
    }
    Next next = refuse(stage, refused.get().refusal(), recipient);
    return Optional.of(
        refused.get().disconnect() && next == Next.CONTINUE ? Next.CLOSE_LINGERING : next);
  }

  /** Whether the client sent more than the command that is being answered. */
  boolean isAhead() throws IOException {
    return reader.hasBuffered() || connection.available() > 0;
  }

  /** All that checks have to tell the filter of the message that comes now. */
  List<Envelope.Note> notes() {
    List<Envelope.Note> notes = new ArrayList<>();
    for (List<CheckResult.Note> of : List.of(connectNotes, heloNotes)) {
      of.forEach(note -> notes.add(new Envelope.Note(note.name(), note.detail())));
    }
    transaction.ifPresent(each -> notes.addAll(each.notes()));
    return notes;
  }

  /** RFC 3207 §4.2: what was said in the clear counts no more once TLS is on. */
  void forgetDialogue() {
    endTransaction();
    helo = "";
    heloNotes.clear();
    extended = false;
    identity.secured();
    reader = new WireReader(connection);
  }

  Optional<Transaction> transaction() {
    return transaction;
  }

  void begin(Transaction begun) {
    transaction = Optional.of(begun);
    inTransaction = true;
  }

  void endTransaction() {
    transaction.ifPresent(Transaction::release);
    transaction = Optional.empty();
    inTransaction = false;
  }

  /** A message was taken: what went wrong before it is forgiven. */
  void countMessage() {
    messages++;
    missteps.forgive();
  }

  boolean mayTakeMessage() {
    return messages < context.config().maxMessages();
  }

  /** Ends the wait of a session that is between two transactions. Any thread. */
  void drain() {
    if (mayBeWoken.compareAndSet(true, false)) {
      connection.wake();
    }
  }

  /** Ends everything at once. Any thread. */
  void cut() {
    connection.cut();
  }
}
