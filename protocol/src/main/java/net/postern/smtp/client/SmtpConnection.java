package net.postern.smtp.client;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import net.postern.address.EmailAddress;
import net.postern.smtp.DataWriter;
import net.postern.smtp.Reply;
import net.postern.smtp.client.RecipientOutcome.Stage;

/**
 * An open connection to a server. Used by one thread at a time; {@link #abort} may come from any.
 * Not usable any more once {@link #isUsable} is false; {@link #close} it in any case.
 */
public final class SmtpConnection implements AutoCloseable {
  /** Holds most business mail whole, so that it leaves in one write. */
  private static final int BUFFER = 64 * 1024;

  private static final long NONE = Long.MAX_VALUE;

  private final Socket raw;
  private final ConnectionWatchdog watchdog;
  private final SmtpClientConfig config;
  private final byte[] buffer = new byte[BUFFER];
  private Socket socket;
  private OutputStream out;
  private ReplyReader replies;
  private Capabilities capabilities = Capabilities.NONE;
  private String tls = "";
  private boolean usable = true;
  private boolean resetFirst;
  private int transactions;

  /** {@link System#nanoTime} after which the present wait is over; {@link #NONE} between waits. */
  private volatile long deadline = NONE;

  private volatile boolean overdue;

  /** Bound on the whole attempt, on top of that of each wait. */
  private long attemptDeadline = NONE;

  SmtpConnection(Socket raw, ConnectionWatchdog watchdog, SmtpClientConfig config)
      throws IOException {
    this.raw = raw;
    this.socket = raw;
    this.watchdog = watchdog;
    this.config = config;
    this.out = raw.getOutputStream();
    this.replies = new ReplyReader(raw.getInputStream());
    watchdog.watch(this);
  }

  /** What the server offered, after TLS where there is TLS. */
  public Capabilities capabilities() {
    return capabilities;
  }

  /** Protocol and cipher suite, empty on a plain connection. */
  public String tls() {
    return tls;
  }

  /** Whether a further transaction may be tried. */
  public boolean isUsable() {
    return usable;
  }

  /** How many transactions were begun on this connection. */
  public int transactions() {
    return transactions;
  }

  /**
   * Carries one message to its recipients.
   *
   * @param limit bound on the whole transaction, besides those of each reply
   * @return an outcome for each recipient, in their order
   */
  public List<RecipientOutcome> send(OutgoingMail mail, Duration limit) {
    attemptDeadline = System.nanoTime() + limit.toNanos();
    int count = mail.recipients().size();
    boolean utf8 = mail.needsUtf8();
    if (utf8 && !capabilities.utf8()) {
      // RFC 6531 §3.2: not to be sent to a server without the extension.
      return all(
          count,
          new RecipientOutcome.Unsendable(
              "5.6.7", "the server does not take addresses or headers in UTF-8 (SMTPUTF8)"));
    }
    if (capabilities.maxSize() > 0 && mail.content().length > capabilities.maxSize()) {
      // RFC 1870 §4: known beforehand, so the bytes need not travel.
      return all(
          count,
          new RecipientOutcome.Unsendable(
              "5.3.4",
              "the message has "
                  + mail.content().length
                  + " bytes, the server takes "
                  + capabilities.maxSize()));
    }
    if (!isSafe(mail)) {
      return all(
          count, new RecipientOutcome.Unsendable("5.1.3", "an address has a line end in it"));
    }
    transactions++;
    Transaction transaction = new Transaction(mail, utf8);
    try {
      transaction.run();
    } catch (IOException e) {
      transaction.lost(e);
    } finally {
      deadline = NONE;
      attemptDeadline = NONE;
    }
    return transaction.outcomes();
  }

  /**
   * Asks which of some addresses the server would take mail for, from the null reverse-path (RFC
   * 5321 §4.5.5), and sends nothing. One command after the other: a server that is asked for
   * addresses may count those it refuses.
   *
   * @param limit bound on all of it, besides those of each reply
   * @return an outcome for each address, in their order; of the last ones {@code Lost} when the
   *     connection did not last
   */
  public List<RecipientOutcome> verify(List<EmailAddress> addresses, Duration limit) {
    attemptDeadline = System.nanoTime() + limit.toNanos();
    List<RecipientOutcome> outcomes = new ArrayList<>(addresses.size());
    try {
      if (resetFirst) {
        resetFirst = false;
        Reply _ = command("RSET\r\n");
      }
      boolean utf8 = capabilities.utf8() && addresses.stream().anyMatch(EmailAddress::needsUtf8);
      Reply from = command(utf8 ? "MAIL FROM:<> SMTPUTF8\r\n" : "MAIL FROM:<>\r\n");
      if (!from.positive()) {
        return all(addresses.size(), new RecipientOutcome.Replied(from, Stage.MAIL));
      }
      resetFirst = true;
      for (EmailAddress address : addresses) {
        outcomes.add(asked(address));
      }
    } catch (IOException e) {
      usable = false;
      while (outcomes.size() < addresses.size()) {
        outcomes.add(new RecipientOutcome.Lost(false, overdue, why(e)));
      }
    } finally {
      deadline = NONE;
      attemptDeadline = NONE;
    }
    return outcomes;
  }

  private RecipientOutcome asked(EmailAddress address) throws IOException {
    if (!isSafe(address)) {
      return new RecipientOutcome.Unsendable("5.1.3", "an address has a line end in it");
    }
    if (address.needsUtf8() && !capabilities.utf8()) {
      // RFC 6531 §3.2: not to be sent to a server without the extension.
      return new RecipientOutcome.Unsendable(
          "5.6.7", "the server does not take addresses in UTF-8 (SMTPUTF8)");
    }
    return new RecipientOutcome.Replied(command("RCPT TO:<" + address + ">\r\n"), Stage.RCPT);
  }

  private String why(IOException cause) {
    String message = cause.getMessage();
    return overdue
        ? "the server did not answer in time"
        : message == null ? "the connection was lost" : message;
  }

  /** Says goodbye, waiting at most {@code limit} for all of it, and closes. */
  public void quit(Duration limit) {
    if (usable) {
      attemptDeadline = System.nanoTime() + limit.toNanos();
      try {
        Reply _ = command("QUIT\r\n");
        // Under TLS this writes once more, so the deadline still counts.
        arm(limit);
        socket.close();
      } catch (IOException e) {
        // RFC 5321 §4.1.1.10 asks for it, but nothing depends on the answer.
      }
    }
    close();
  }

  /** Closes without a word: not even TLS says goodbye, since that could wait for a dead peer. */
  @Override
  public void close() {
    usable = false;
    closeRaw();
    deadline = NONE;
    watchdog.forget(this);
  }

  /** Ends the connection under a thread that may be waiting on it. */
  void abort() {
    closeRaw();
  }

  void endIfOverdue(long now) {
    long until = deadline;
    if (until != NONE && now - until > 0) {
      overdue = true;
      // Not the TLS socket: its close may wait for the very write that hangs.
      closeRaw();
    }
  }

  private void closeRaw() {
    try {
      raw.close();
    } catch (IOException e) {
      // A socket that cannot be closed is closed.
    }
  }

  boolean isOverdue() {
    return overdue;
  }

  void limit(Duration limit) {
    attemptDeadline = System.nanoTime() + limit.toNanos();
  }

  void unlimited() {
    attemptDeadline = NONE;
  }

  Reply command(String line) throws IOException {
    byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
    write(bytes, bytes.length);
    return reply(config.replyTimeout());
  }

  Reply greeting() throws IOException {
    return reply(config.replyTimeout());
  }

  /** EHLO, or HELO where the server does not know it (RFC 5321 §3.2). */
  Reply hello() throws IOException {
    Reply ehlo = command("EHLO " + config.hostname() + "\r\n");
    if (ehlo.positive()) {
      capabilities = Capabilities.of(ehlo);
      return ehlo;
    }
    capabilities = Capabilities.NONE;
    return ehlo.permanentFailure() ? command("HELO " + config.hostname() + "\r\n") : ehlo;
  }

  /**
   * The handshake, after the server's 220 to STARTTLS.
   *
   * @throws IOException when it fails; the connection is of no use then
   */
  void startTls(SSLContext context, String serverName, boolean verify) throws IOException {
    if (replies.hasLeftovers()) {
      // Plain text behind the reply would be taken for what the server says under TLS.
      throw new IOException("the server sent plain text after its reply to STARTTLS");
    }
    SSLSocket secure =
        (SSLSocket) context.getSocketFactory().createSocket(raw, serverName, raw.getPort(), true);
    if (verify) {
      SSLParameters parameters = secure.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      secure.setSSLParameters(parameters);
    }
    arm(config.replyTimeout());
    secure.startHandshake();
    deadline = NONE;
    socket = secure;
    out = secure.getOutputStream();
    replies = new ReplyReader(secure.getInputStream());
    tls = secure.getSession().getProtocol() + " " + secure.getSession().getCipherSuite();
    // RFC 3207 §4.2: what was known before TLS is forgotten.
    capabilities = Capabilities.NONE;
  }

  private void arm(Duration wait) {
    deadline = Math.min(System.nanoTime() + wait.toNanos(), attemptDeadline);
  }

  private void write(byte[] bytes, int length) throws IOException {
    arm(config.replyTimeout());
    out.write(bytes, 0, length);
    deadline = NONE;
  }

  private Reply reply(Duration wait) throws IOException {
    arm(wait);
    Reply reply = replies.read();
    deadline = NONE;
    if (reply.code() == 421) {
      // RFC 5321 §3.8: the server is about to close.
      usable = false;
    }
    return reply;
  }

  private static boolean isSafe(OutgoingMail mail) {
    if (mail.reversePath().isPresent() && !isSafe(mail.reversePath().get())) {
      return false;
    }
    for (EmailAddress recipient : mail.recipients()) {
      if (!isSafe(recipient)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSafe(EmailAddress address) {
    return isSafe(address.localPart()) && isSafe(address.domain());
  }

  private static boolean isSafe(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < 0x20 || text.charAt(i) == 0x7f) {
        return false;
      }
    }
    return true;
  }

  private static List<RecipientOutcome> all(int count, RecipientOutcome outcome) {
    return Collections.nCopies(count, outcome);
  }

  /** One pass from MAIL to the reply after the message. */
  private final class Transaction {
    private final OutgoingMail mail;
    private final String mailCommand;
    private final List<RecipientOutcome> outcomes;
    private final List<Integer> accepted = new ArrayList<>();
    private int answered;
    private boolean endSent;

    Transaction(OutgoingMail mail, boolean utf8) {
      this.mail = mail;
      this.outcomes = new ArrayList<>(mail.recipients().size());
      StringBuilder line = new StringBuilder(128).append("MAIL FROM:<");
      mail.reversePath().ifPresent(line::append);
      line.append('>');
      if (capabilities.size()) {
        line.append(" SIZE=").append(mail.content().length);
      }
      // Without 8BITMIME the bytes are sent all the same: re-coding would break signatures, and
      // servers that strip the high bit are gone from the field.
      if (capabilities.eightBitMime() && mail.isEightBit()) {
        line.append(" BODY=8BITMIME");
      }
      if (utf8) {
        line.append(" SMTPUTF8");
      }
      this.mailCommand = line.append("\r\n").toString();
    }

    List<RecipientOutcome> outcomes() {
      return outcomes;
    }

    void run() throws IOException {
      if (capabilities.pipelining()) {
        pipelined();
      } else {
        stepByStep();
      }
    }

    // RFC 2920 §3.1: commands in one write, DATA last; all replies are read and looked at.
    private void pipelined() throws IOException {
      StringBuilder commands = new StringBuilder(256);
      boolean reset = resetFirst;
      if (reset) {
        commands.append("RSET\r\n");
        resetFirst = false;
      }
      commands.append(mailCommand);
      for (EmailAddress recipient : mail.recipients()) {
        commands.append("RCPT TO:<").append(recipient).append(">\r\n");
      }
      commands.append("DATA\r\n");
      byte[] bytes = commands.toString().getBytes(StandardCharsets.UTF_8);
      write(bytes, bytes.length);
      if (reset) {
        Reply _ = reply(config.replyTimeout());
      }
      Reply from = reply(config.replyTimeout());
      if (!from.positive()) {
        outcomes.addAll(
            all(mail.recipients().size(), new RecipientOutcome.Replied(from, Stage.MAIL)));
        answered = outcomes.size();
        for (int i = 0; i < mail.recipients().size() && usable; i++) {
          Reply _ = reply(config.replyTimeout());
        }
        if (usable && reply(config.replyTimeout()).code() == 354) {
          // A server that wants data without a sender is not one to go on with.
          usable = false;
        }
        return;
      }
      for (int i = 0; i < mail.recipients().size(); i++) {
        recipientReplied(reply(config.replyTimeout()));
      }
      dataReplied(reply(config.replyTimeout()));
    }

    private void stepByStep() throws IOException {
      if (resetFirst) {
        resetFirst = false;
        Reply _ = command("RSET\r\n");
      }
      Reply from = command(mailCommand);
      if (!from.positive()) {
        outcomes.addAll(
            all(mail.recipients().size(), new RecipientOutcome.Replied(from, Stage.MAIL)));
        return;
      }
      for (EmailAddress recipient : mail.recipients()) {
        recipientReplied(command("RCPT TO:<" + recipient + ">\r\n"));
      }
      if (accepted.isEmpty()) {
        resetFirst = true;
        return;
      }
      dataReplied(command("DATA\r\n"));
    }

    private void recipientReplied(Reply reply) {
      // A place for the one who is accepted so far is filled when the message has its reply.
      outcomes.add(new RecipientOutcome.Replied(reply, Stage.RCPT));
      if (reply.positive()) {
        accepted.add(answered);
      }
      answered++;
    }

    private void dataReplied(Reply reply) throws IOException {
      if (reply.code() != 354) {
        settleAccepted(new RecipientOutcome.Replied(reply, Stage.DATA));
        resetFirst = true;
        return;
      }
      if (accepted.isEmpty()) {
        // RFC 2920 §3.1: DATA was taken though no recipient was; end it at once with nothing.
        write(new byte[] {'.', '\r', '\n'}, 3);
        Reply _ = reply(config.endOfDataTimeout());
        return;
      }
      new DataWriter(SmtpConnection.this::write, buffer).write(mail.content());
      endSent = true;
      Reply end = reply(config.endOfDataTimeout());
      settleAccepted(new RecipientOutcome.Replied(end, Stage.END_OF_DATA));
    }

    private void settleAccepted(RecipientOutcome outcome) {
      for (int index : accepted) {
        outcomes.set(index, outcome);
      }
      accepted.clear();
    }

    /** Gives everyone who has no final reply the bad news. */
    void lost(IOException cause) {
      usable = false;
      RecipientOutcome.Lost outcome = new RecipientOutcome.Lost(endSent, overdue, why(cause));
      settleAccepted(outcome);
      while (outcomes.size() < mail.recipients().size()) {
        outcomes.add(outcome);
      }
    }
  }
}
