package net.postern.tenant;

import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;

/** Answers where a recipient's mail goes. Safe for many threads; may block on the database. */
public interface Routing {

  /**
   * The route of a recipient: the one of its domain; for addresses of other people's domains
   * (reports to senders) the configured way out.
   *
   * @throws IllegalStateException when the customer's domain has no route; the mail waits meanwhile
   */
  Route routeFor(CustomerId customer, EmailAddress recipient);
}
