package net.postern.tenant;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * An order to keep everything of a customer, or of one of its mailboxes.
 *
 * @param mailbox empty: every mailbox of the customer
 * @param reason for people: case, date, who asked
 * @param releasedAt empty while it stands
 */
public record LegalHold(
    UUID id,
    CustomerId customer,
    Optional<MailboxId> mailbox,
    String reason,
    Instant setAt,
    Optional<Instant> releasedAt) {

  /** Whether it covers a mailbox. */
  public boolean covers(CustomerId owner, MailboxId which) {
    return customer.equals(owner) && (mailbox.isEmpty() || mailbox.get().equals(which));
  }
}
