package net.postern.tenant;

import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * A forward-path that is ours to take mail for.
 *
 * @param address as the client wrote it
 * @param mailbox whose key will open the message
 */
public record Recipient(EmailAddress address, CustomerId customer, MailboxId mailbox) {}
