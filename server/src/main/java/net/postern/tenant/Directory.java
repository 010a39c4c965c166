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
    /** Never: for a client that tries out addresses, whose questions would become ours. */
    FORBIDDEN
  }

  /**
   * Finds the mailbox behind a forward-path, or the members of a group: exact address, then
   * subaddress, then what the domain says of all others ({@link Validation}).
   */
  RecipientLookup lookup(EmailAddress address);

  /**
   * The same for a client of whom something is known.
   *
   * @param asking with FORBIDDEN an address that only the customer's server knows is unavailable
   */
  default RecipientLookup lookup(EmailAddress address, Asking asking) {
    return lookup(address);
  }

  /**
   * The customer who registered this client as a server of theirs, so that it may send to anyone.
   *
   * @return an empty answer when nobody did
   */
  Lookup<Optional<CustomerId>> registeredServer(InetAddress client);
}
