package net.postern.ledger;

import java.time.Instant;
import java.util.Optional;

/**
 * What an attempt at a leased delivery came to. Takes effect only while the lease is still ours.
 */
public sealed interface Settlement {
  DeliveryKey key();

  /** Done. */
  record Delivered(DeliveryKey key, String reply) implements Settlement {}

  /** Failed for now: due again at {@code nextAttempt}. */
  record Retry(DeliveryKey key, String reply, Instant nextAttempt) implements Settlement {}

  /**
   * Failed for good.
   *
   * @param report the delivery status notification, already in the vault; entered in the same
   *     transaction. Empty when none is due (null reverse-path).
   */
  record Returned(DeliveryKey key, String reply, Optional<MessageRecord> report)
      implements Settlement {}

  /** Given back without an attempt, as at shutdown: due at once, the attempt is not counted. */
  record Unattempted(DeliveryKey key) implements Settlement {}
}
