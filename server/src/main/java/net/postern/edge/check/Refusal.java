package net.postern.edge.check;

import java.time.Duration;
import java.util.Optional;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.smtp.Reply;

/**
 * Why a client is told no.
 *
 * @param reply what the client reads; tells nothing about how we are built
 * @param cause the same for our own people, one plain sentence
 * @param customer whose mail it would have been, when that is known
 * @param delay how long the client has to wait for the reply
 */
public record Refusal(
    Reply reply,
    MailEvent.Reason reason,
    String cause,
    Optional<CustomerId> customer,
    Duration delay) {

  /** One that is said at once. */
  public Refusal(
      Reply reply, MailEvent.Reason reason, String cause, Optional<CustomerId> customer) {
    this(reply, reason, cause, customer, Duration.ZERO);
  }
}
