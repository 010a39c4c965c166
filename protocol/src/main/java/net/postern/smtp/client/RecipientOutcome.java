package net.postern.smtp.client;

import net.postern.smtp.Reply;

/** What a transaction came to for one of its recipients. */
public sealed interface RecipientOutcome {

  /** The command that a reply answered. */
  enum Stage {
    MAIL,
    RCPT,
    DATA,
    END_OF_DATA
  }

  /**
   * The server's word on it. A positive one only ever comes at {@link Stage#END_OF_DATA}: from then
   * on the server is responsible (RFC 5321 §4.2.5).
   */
  record Replied(Reply reply, Stage stage) implements RecipientOutcome {
    public boolean isAccepted() {
      return stage == Stage.END_OF_DATA && reply.positive();
    }
  }

  /**
   * The connection ended without a word.
   *
   * @param afterEnd whether the whole message had been sent, so that the server may have taken it
   *     (RFC 1047)
   * @param timedOut whether the server was silent too long, rather than gone
   */
  record Lost(boolean afterEnd, boolean timedOut, String why) implements RecipientOutcome {}

  /**
   * The server's capabilities do not allow it; nothing was sent.
   *
   * @param status RFC 3463
   */
  record Unsendable(String status, String why) implements RecipientOutcome {}
}
