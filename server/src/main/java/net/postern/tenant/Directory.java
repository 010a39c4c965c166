package net.postern.tenant;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;

/**
 * Answers whether and for whom an address is ours. Safe for many threads; may block on the
 * database.
 */
public interface Directory {

  /** Finds the mailbox behind a forward-path: exact address, then subaddress, then catch-all. */
  RecipientLookup lookup(EmailAddress address);

  /**
   * The customer who registered this client as a server of theirs, so that it may send to anyone.
   *
   * @return empty when nobody did
   */
  Optional<CustomerId> registeredServer(InetAddress client);
}
