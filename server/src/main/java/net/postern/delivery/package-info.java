/**
 * Sends accepted mail on: to the customer's server by SMTP, to the Internet by MX, into a Maildir.
 *
 * <p>Work comes two ways: {@link net.postern.ledger.Dispatcher} hands over what was accepted a
 * moment ago and is still in memory, and the {@link net.postern.delivery.Poller} leases what is due
 * from the ledger. Recipients of one message that take the same way are one {@link
 * net.postern.delivery.Job}; jobs for the same next hop wait in its {@link
 * net.postern.delivery.Lane}, whose workers each own one connection and keep it while there is
 * work. A lane starts narrow and widens with success, so a server that hangs holds two workers, not
 * all of them.
 *
 * <p>What an attempt came to is a {@link net.postern.delivery.DeliveryResult}; the {@link
 * net.postern.delivery.Settler} turns it into a ledger entry, an event and, for a failure for good,
 * a report to the sender ({@link net.postern.delivery.Report}, RFC 3464).
 */
@NullMarked
package net.postern.delivery;

import org.jspecify.annotations.NullMarked;
