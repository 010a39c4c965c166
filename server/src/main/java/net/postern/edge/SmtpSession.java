package net.postern.edge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import net.postern.edge.check.Check;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.CheckRun;
import net.postern.edge.check.Client;
import net.postern.edge.check.Connect;
import net.postern.edge.check.Helo;
import net.postern.edge.check.Refusal;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.id.CustomerId;
import net.postern.smtp.Command;
import net.postern.smtp.Parsed;
import net.postern.smtp.Reply;
import net.postern.smtp.WireReader;
import net.postern.tenant.Recipient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's dialogue, on a thread of its own. Only {@link #drain} and {@link #cut} may be called
 * by other threads.
 */
final class SmtpSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final long SOFT_ERROR_DELAY_MILLIS = 1000;

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
  private final String clientAddress;
  private final long sessionDeadline;
  private WireReader reader;
  private String helo = "";
  private boolean extended;
  private final Client client;

  // What checks have to tell the filter of this client, whatever it sends.
  private final List<CheckResult.Note> connectNotes = new ArrayList<>();
  private final List<CheckResult.Note> heloNotes = new ArrayList<>();
  private int errors;
  private int messages;
  private Optional<Transaction> transaction = Optional.empty();
  private boolean inTransaction;

  /**
   * Whether it waits for a command between two transactions, where a drain may end the wait. Taken
   * back by whoever comes first, the session with a command or the drain: input that is shut while
   * a transaction begins would break off a message after its 354.
   */
  private final AtomicBoolean mayBeWoken = new AtomicBoolean();

  SmtpSession(EdgeContext context, Connection connection) {
    this.context = context;
    this.connection = connection;
    this.client = context.checks().questions().client(connection.client());
    this.clientAddress = client.address().getHostAddress();
    this.sessionDeadline = Ticks.after(context.config().sessionTimeout());
    this.reader = new WireReader(connection);
  }

  /** Talks until either side ends it. The connection is closed afterwards, whatever happens. */
  void run() {
    Next end = Next.CLOSE;
    try {
      end = connected();
      if (end == Next.CONTINUE) {
        // RFC 5321 §3.1, §4.3.1: 220, our name, and that we speak the extensions.
        reply(Reply.plain(220, context.hostname() + " ESMTP Postern"));
        end = talk();
      }
    } catch (IOException e) {
      LOG.debug("session with {} broke off: {}", clientAddress, e.toString());
    } catch (RuntimeException | Error e) {
      LOG.error("session with {} failed", clientAddress, e);
      end = closing(Stage.COMMAND, Reason.INTERNAL, "4.3.0", "Internal error, please try again");
    } finally {
      endTransaction();
      connection.finish(end == Next.CLOSE_LINGERING);
    }
  }

  // RFC 5321 §3.1: 554 in place of the greeting, and then nothing but QUIT is of use.
  private Next connected() throws IOException {
    Optional<Next> refused =
        ask(Stage.CONNECT, context.checks().connect(), new Connect(client), "", connectNotes::add);
    return refused.isPresent() ? Next.CLOSE_LINGERING : Next.CONTINUE;
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
      connection.bound(
          Math.min(Ticks.after(context.config().commandTimeout()), sessionDeadline), Ticks.NEVER);
      WireReader.Line line = reader.readLine();
      if (between && !mayBeWoken.compareAndSet(true, false)) {
        return shuttingDown();
      }
      next =
          switch (line) {
            case COMPLETE -> command();
            case TOO_LONG -> refuse(Stage.COMMAND, Reason.LINE_TOO_LONG, Replies.LINE_TOO_LONG);
            case BARE_LINE_END ->
                refuse(Stage.COMMAND, Reason.BARE_LINE_END, Replies.BARE_LINE_END);
            case END_OF_STREAM -> ended(Stage.COMMAND);
          };
    }
    return next;
  }

  private Next command() throws IOException {
    return switch (reader.command()) {
      case Parsed.Bad<Command> bad -> refuse(Stage.COMMAND, Reason.SYNTAX, bad.reply());
      case Parsed.Ok<Command> ok ->
          Verbs.find(ok.value().verb()).handle(this, ok.value().argument());
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
    emit(stage, reason, reply, why + ".", "", Optional.empty());
    try {
      reply(reply);
    } catch (IOException e) {
      LOG.debug("no 421 to {}: {}", clientAddress, e.toString());
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
    emit(stage, refusal.reason(), refusal.reply(), refusal.cause(), recipient, refusal.customer());
    return deny(stage, refusal.reply());
  }

  /**
   * The same for a message whose recipients were accepted: one event for each of them and its
   * customer, one reply, one error.
   */
  Next refuseMessage(Refusal refusal, List<Recipient> recipients) throws IOException {
    for (Recipient recipient : recipients) {
      emit(
          Stage.DATA,
          refusal.reason(),
          refusal.reply(),
          refusal.cause(),
          recipient.address().toString(),
          Optional.of(recipient.customer()));
    }
    return deny(Stage.DATA, refusal.reply());
  }

  private Next deny(Stage stage, Reply reply) throws IOException {
    if (reply.permanentFailure()) {
      errors++;
      if (errors >= context.config().hardErrors()) {
        return closing(stage, Reason.TOO_MANY_ERRORS, "4.7.0", "Too many errors");
      }
      if (errors > context.config().softErrors()) {
        delay();
      }
    }
    reply(reply);
    return Next.CONTINUE;
  }

  private void delay() throws IOException {
    connection.flush();
    try {
      if (context.draining().await(SOFT_ERROR_DELAY_MILLIS, TimeUnit.MILLISECONDS)) {
        LOG.debug("delay of {} ended by shutdown", clientAddress);
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
      Optional<CustomerId> customer) {
    context
        .events()
        .emit(
            new MailEvent.Refused(
                stage,
                reason,
                reply.code(),
                reply.enhanced(),
                cause,
                new MailEvent.Peer(clientAddress, helo, connection.tls()),
                transaction.map(Transaction::reversePath).orElse(""),
                recipient,
                customer));
  }

  /** The client and we did not agree on TLS; there is no reply that it could still read. */
  void tlsFailed() {
    emit(
        Stage.STARTTLS,
        connection.expired() ? Reason.TIMEOUT : Reason.SYNTAX,
        Reply.of(454, "4.7.0", "TLS failed"),
        "The TLS handshake failed.",
        "",
        Optional.empty());
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
    return connection.tls().isEmpty() || !extended ? name : name + "S";
  }

  /**
   * Asks the checks of EHLO and HELO, and takes the name. RFC 5321 §4.1.4: both also do what RSET
   * does; after one that was refused, what was agreed before still stands.
   *
   * @return how it goes on after a refusal; empty when there is none
   */
  Optional<Next> greet(String name, boolean byEhlo) throws IOException {
    List<CheckResult.Note> notes = new ArrayList<>();
    Optional<Next> refused =
        ask(Stage.HELO, context.checks().helo(), new Helo(client, name), "", notes::add);
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

  // Tells the client what the first check that refuses has to say.
  private <Q> Optional<Next> ask(
      Stage stage,
      List<Check<Q>> checks,
      Q question,
      String recipient,
      Consumer<CheckResult.Note> notes)
      throws IOException {
    Optional<CheckRun.Refused> refused = CheckRun.ask(checks, question, notes);
    if (refused.isEmpty()) {
      return Optional.empty();
    }
    Next next = refuse(stage, refused.get().refusal(), recipient);
    return Optional.of(
        refused.get().disconnect() && next == Next.CONTINUE ? Next.CLOSE_LINGERING : next);
  }

  /** Who is at the other end. */
  Client client() {
    return client;
  }

  /** All that checks have to tell the filter of the message that comes now. */
  List<CheckResult.Note> notes() {
    List<CheckResult.Note> notes = new ArrayList<>(connectNotes);
    notes.addAll(heloNotes);
    transaction.ifPresent(each -> notes.addAll(each.notes()));
    return notes;
  }

  /** RFC 3207 §4.2: what was said in the clear counts no more once TLS is on. */
  void forgetDialogue() {
    endTransaction();
    helo = "";
    heloNotes.clear();
    extended = false;
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
    errors = 0;
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
