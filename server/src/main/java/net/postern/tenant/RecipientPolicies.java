package net.postern.tenant;

import java.util.List;
import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/** What recipients and customers want of the checks at the edge. Safe for many threads. */
@FunctionalInterface
public interface RecipientPolicies {

  /**
   * Asks for a recipient.
   *
   * @param mailbox empty for what holds for the whole customer
   * @return {@link RecipientPolicy#UNKNOWN} when it cannot be told now; never throws
   */
  RecipientPolicy of(CustomerId customer, Optional<MailboxId> mailbox);

  /** Asks for several at one time, such as the members of a group; the answers in their order. */
  default List<RecipientPolicy> of(List<Recipient> recipients) {
    return recipients.stream()
        .map(each -> of(each.customer(), Optional.of(each.mailbox())))
        .toList();
  }
}
