package net.postern.vault;

import java.util.List;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;

/**
 * What a frame holds, in the clear.
 *
 * @param holders mailboxes whose keys can open it; at least one
 * @param meta envelope and verdict as JSON in UTF-8: enough to enter the message into an empty
 *     ledger
 * @param content the message as it is to be delivered, RFC 5322 with CRLF line ends
 */
public record MessageFrame(MessageId id, List<Holder> holders, byte[] meta, byte[] content) {

  /** A mailbox, and the customer whose key wraps the mailbox's. */
  public record Holder(CustomerId customer, MailboxId mailbox) {}

  public MessageFrame {
    holders = List.copyOf(holders);
    if (holders.isEmpty()) {
      throw new IllegalArgumentException("a frame needs a mailbox that can open it");
    }
  }
}
