package net.postern.tenant;

import java.util.List;
import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import org.jdbi.v3.core.Handle;

/**
 * What a package keeps of people besides their mail and settings. {@code docs/erasure.md} says of
 * every table what becomes of it when somebody's mailbox is erased; what is to go is taken away
 * here, by the package that the table belongs to.
 */
@FunctionalInterface
public interface PersonData {

  /**
   * Takes it away, in the transaction that erases the key. Once more does no harm.
   *
   * @throws org.jdbi.v3.core.JdbiException when it cannot: then nothing is erased
   */
  void erase(Handle handle, Leaving leaving);

  /**
   * Who is erased.
   *
   * @param mailbox empty: the customer with all its mailboxes
   * @param mailboxes the one, or all of the customer
   * @param addresses that lead to the one mailbox, in lower case; empty for a customer
   * @param domains of the customer; empty for a mailbox
   */
  record Leaving(
      CustomerId customer,
      Optional<MailboxId> mailbox,
      List<MailboxId> mailboxes,
      List<String> addresses,
      List<String> domains) {
    public Leaving {
      mailboxes = List.copyOf(mailboxes);
      addresses = List.copyOf(addresses);
      domains = List.copyOf(domains);
    }

    /** The mailboxes' ids as text, for an array in SQL. */
    public String[] mailboxIds() {
      return mailboxes.stream().map(MailboxId::toString).toArray(String[]::new);
    }
  }
}
