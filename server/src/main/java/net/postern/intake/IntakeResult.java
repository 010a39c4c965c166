package net.postern.intake;

import net.postern.events.MailEvent;
import net.postern.id.MessageId;

/** What intake decided; each names the reply that the client gets. */
public sealed interface IntakeResult {

  /** {@code 250 2.0.0 Ok: queued as ID}. The message is in the stores. */
  record Accepted(MessageId id) implements IntakeResult {}

  /**
   * Not taken.
   *
   * @param code 4xx or 5xx
   * @param enhanced RFC 3463 status such as {@code 5.7.1}
   * @param text what the sender reads; ASCII, one line, no line end
   */
  record Refused(int code, String enhanced, String text, MailEvent.Reason reason)
      implements IntakeResult {}
}
