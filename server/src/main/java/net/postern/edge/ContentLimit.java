package net.postern.edge;

import java.util.Optional;
import net.postern.edge.check.Refusal;
import net.postern.events.MailEvent.Reason;
import net.postern.smtp.ContentDefect;
import net.postern.smtp.Reply;

/**
 * Whether a message that is arriving can still be taken. Once it cannot, its memory is let go of
 * and the rest is read into a scratch buffer and dropped, so that the session stays in step. One
 * for each message; one thread.
 */
final class ContentLimit {
  static final Refusal TOO_BIG = refusal(Replies.TOO_BIG, Reason.TOO_BIG);
  static final Refusal OUT_OF_MEMORY = refusal(Replies.OUT_OF_MEMORY, Reason.OVERLOADED);

  private static final int SCRATCH = 8 * 1024;

  /** So many bytes, or one more message of the largest size, are dropped before the line is cut. */
  private static final long MIN_DROPPED = 64L << 20;

  private final long maxMessage;
  private Optional<Refusal> refusal = Optional.empty();
  private byte[] scratch = {};
  private long received;

  ContentLimit(long maxMessage) {
    this.maxMessage = maxMessage;
  }

  long maxMessage() {
    return maxMessage;
  }

  boolean storing() {
    return refusal.isEmpty();
  }

  Optional<Refusal> refusal() {
    return refusal;
  }

  /** Gives the message up; the first reason counts. */
  void refuse(Refusal why, MessageBuffer buffer) {
    if (refusal.isEmpty()) {
      refusal = Optional.of(why);
      buffer.release();
    }
  }

  byte[] scratch() {
    if (scratch.length == 0) {
      scratch = new byte[SCRATCH];
    }
    return scratch;
  }

  /** Counts bytes off the wire; true when the client has sent absurdly much. */
  boolean exhaustedBy(long bytes) {
    received += bytes;
    return received > maxMessage + Math.max(maxMessage, MIN_DROPPED);
  }

  /** RFC 3463 §3.7: 5.6.0, something about the content. */
  static Refusal defect(ContentDefect defect) {
    Reason reason =
        switch (defect) {
          case BARE_CR, BARE_LF -> Reason.BARE_LINE_END;
          case LINE_TOO_LONG -> Reason.LINE_TOO_LONG;
          case NUL, NONE -> Reason.CONTENT;
        };
    return refusal(Reply.of(554, "5.6.0", defect.sentence()), reason);
  }

  private static Refusal refusal(Reply reply, Reason reason) {
    return new Refusal(reply, reason, reply.text() + ".", Optional.empty());
  }
}
