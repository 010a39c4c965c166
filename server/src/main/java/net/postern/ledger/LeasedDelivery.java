package net.postern.ledger;

import java.time.Instant;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.MailboxId;
import net.postern.vault.Place;

/**
 * A delivery that this node is to attempt.
 *
 * @param reversePath empty for the null reverse-path
 * @param attempt number of this attempt, from 1
 * @param giveUpAt when a failure stops being retried
 * @param leaseUntil after this instant another node may take it
 * @param mark header lines (CRLF ended) to put before the message, empty for none
 * @param subjectTag text to put before the subject, empty for none
 * @param content the message, when it is still in memory; otherwise it is read from {@code place}
 */
public record LeasedDelivery(
    DeliveryKey key,
    Place place,
    MailboxId mailbox,
    Optional<EmailAddress> reversePath,
    EmailAddress recipient,
    Instant acceptedAt,
    Instant giveUpAt,
    int attempt,
    Instant leaseUntil,
    long bytes,
    boolean utf8,
    String mark,
    String subjectTag,
    Optional<byte[]> content) {}
