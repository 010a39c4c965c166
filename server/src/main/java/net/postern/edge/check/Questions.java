package net.postern.edge.check;

import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.tenant.RecipientLookup;

/**
 * Makes what the checks look at, and begins to ask elsewhere as early as something is known to ask
 * about: the DNS about the client when it connects, about the sender at {@code MAIL}.
 */
public interface Questions {

  /** A client that connected. Does not block. */
  Client client(InetAddress address);

  /**
   * Whether nearly everybody refuses this client, as far as is known now: what they do not need for
   * that is asked when there is somebody who takes its mail. Does not block.
   */
  boolean isUnwanted(Client client);

  /** A transaction that begins. Does not block. */
  Mail mail(Client client, String helo, Optional<EmailAddress> reversePath);

  /** A recipient; asks for what it chose, and waits for SPF where a safelist depends on it. */
  Rcpt rcpt(Mail mail, EmailAddress address, RecipientLookup lookup);

  /**
   * The same for fewer checks: what none of them looks at is not asked.
   *
   * @param checks names of those that run
   */
  Questions only(Set<String> checks);
}
