package net.postern.tenant;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;

/**
 * Answers whether and for whom an address is ours. Safe for many threads; may block on the database
 * and, where a domain asks for it, on the customer's server.
 */
public interface Directory {

  /** Whether a look-up may ask a customer's server. */
  enum Asking {
    /** When nothing is known. */
    ALLOWED,
    /** Never: a stranger's questions would become ours, and who sends is asked for no server. */
    FORBIDDEN
  }

  /**
   * Finds the mailbox behind a forward-path, or the members of a group: exact address, then
   * subaddress, then what the domain says of all others ({@link Validation}).
   */
  RecipientLookup lookup(EmailAddress address);

  /**
   * The same, and whether it may take the time of a customer's server.
   *
   * @param asking with FORBIDDEN an address for which the customer's server would be asked now is
   *     {@link RecipientLookup.Unasked}
   */
  default RecipientLookup lookup(EmailAddress address, Asking asking) {
    return lookup(address);
  }

  /**
   * The customer who registered this client as a server of theirs, so that it may send to anyone.
   *
   * @return empty when nobody did
   */
  Optional<CustomerId> registeredServer(InetAddress client);
}
