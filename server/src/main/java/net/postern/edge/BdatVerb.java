package net.postern.edge;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.ChunkCheck;
import net.postern.smtp.ContentDefect;
import net.postern.smtp.Reply;

/**
 * BDAT (RFC 3030 §2): takes a message in chunks of stated length. The octets of a chunk follow the
 * command whether it is refused or not, so they are read off the wire first in every case; a chunk
 * whose length cannot be known ends the session.
 */
final class BdatVerb implements Verb {
  private static final int MAX_DIGITS = 18;

  /** A chunk size and whether it is the last. */
  private record Chunk(long size, boolean last) {}

  @Override
  public SmtpSession.Next handle(SmtpSession session, String argument) throws IOException {
    Optional<Chunk> parsed = parse(argument);
    if (parsed.isEmpty()) {
      session.refuse(
          Stage.DATA,
          Reason.SYNTAX,
          Reply.of(501, "5.5.4", "BDAT takes a number of octets and perhaps LAST"));
      return SmtpSession.Next.CLOSE_LINGERING;
    }
    Chunk chunk = parsed.get();
    Optional<Transaction> begun = session.transaction();
    if (begun.isEmpty()) {
      return dropAndRefuse(session, chunk, Replies.NO_MAIL);
    }
    Transaction transaction = begun.get();
    if (transaction.recipientCount() == 0) {
      return dropAndRefuse(session, chunk, Replies.NO_RECIPIENT);
    }
    return receive(session, transaction, chunks(session, transaction), chunk);
  }

  private static Transaction.Chunks chunks(SmtpSession session, Transaction transaction) {
    if (transaction.chunks().isEmpty()) {
      EdgeContext context = session.context();
      transaction.begin(
          new Transaction.Chunks(
              new MessageBuffer(context.memory()),
              new ChunkCheck(),
              new ContentLimit(context.config().maxMessage().bytes()),
              Ticks.after(context.config().messageTimeout())));
    }
    return transaction.chunks().orElseThrow();
  }

  private static SmtpSession.Next receive(
      SmtpSession session, Transaction transaction, Transaction.Chunks message, Chunk chunk)
      throws IOException {
    MessageBuffer buffer = message.buffer();
    ContentLimit limit = message.limit();
    if (chunk.size() > limit.maxMessage() - buffer.size()) {
      limit.refuse(ContentLimit.TOO_BIG, buffer);
    }
    session
        .connection()
        .bound(
            Math.min(message.deadline(), session.sessionDeadline()),
            Ticks.nanos(session.context().config().dataTimeout()));
    long left = chunk.size();
    while (left > 0) {
      if (limit.storing() && !buffer.ensureRoom()) {
        limit.refuse(ContentLimit.OUT_OF_MEMORY, buffer);
      }
      byte[] into = limit.storing() ? buffer.chunk() : limit.scratch();
      int from = limit.storing() ? buffer.position() : 0;
      int n = session.reader().read(into, from, (int) Math.min(left, into.length - from));
      if (n < 0) {
        return session.ended(Stage.DATA);
      }
      left -= n;
      if (limit.storing()) {
        message.check().check(into, from, from + n);
        buffer.filledTo(from + n);
      }
      if (limit.exhaustedBy(n)) {
        return session.closing(
            Stage.DATA, Reason.TOO_BIG, "4.3.4", "The message is far larger than is taken here");
      }
    }
    if (chunk.last() && limit.storing()) {
      ContentDefect defect = message.check().finish();
      if (defect != ContentDefect.NONE) {
        limit.refuse(ContentLimit.defect(defect), buffer);
      }
    }
    // A refused chunk ends the transaction; chunks that were pipelined after it get 503.
    if (chunk.last() || !limit.storing()) {
      return Acceptance.finish(session, transaction, buffer, limit);
    }
    return session.say(Reply.of(250, "2.0.0", chunk.size() + " octets received"));
  }

  private static SmtpSession.Next dropAndRefuse(SmtpSession session, Chunk chunk, Reply reply)
      throws IOException {
    var config = session.context().config();
    ContentLimit limit = new ContentLimit(config.maxMessage().bytes());
    session
        .connection()
        .bound(
            Math.min(Ticks.after(config.messageTimeout()), session.sessionDeadline()),
            Ticks.nanos(config.dataTimeout()));
    long left = chunk.size();
    while (left > 0) {
      byte[] scratch = limit.scratch();
      int n = session.reader().read(scratch, 0, (int) Math.min(left, scratch.length));
      if (n < 0) {
        return session.ended(Stage.DATA);
      }
      left -= n;
      if (limit.exhaustedBy(n)) {
        return session.closing(
            Stage.DATA, Reason.TOO_BIG, "4.3.4", "The message is far larger than is taken here");
      }
    }
    return session.refuse(Stage.DATA, Reason.SEQUENCE, reply);
  }

  private static Optional<Chunk> parse(String argument) {
    int space = argument.indexOf(' ');
    String digits = space < 0 ? argument : argument.substring(0, space);
    String rest = space < 0 ? "" : argument.substring(space).strip().toUpperCase(Locale.ROOT);
    if (digits.isEmpty()
        || digits.length() > MAX_DIGITS
        || !digits.chars().allMatch(c -> c >= '0' && c <= '9')
        || !(rest.isEmpty() || rest.equals("LAST"))) {
      return Optional.empty();
    }
    return Optional.of(new Chunk(Long.parseLong(digits), !rest.isEmpty()));
  }
}
