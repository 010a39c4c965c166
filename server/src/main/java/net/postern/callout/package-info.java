/**
 * Asks a customer's own server whether an address exists, where the customer keeps no list here.
 *
 * <p>A question is the beginning of a transaction with the null reverse-path that is given up after
 * RCPT. A definite answer is kept in the database for all nodes; what the server could not say is
 * never taken for a no: {@link net.postern.callout.Callouts} has the rules, {@link
 * net.postern.callout.Meaning} which reply means what.
 */
@NullMarked
package net.postern.callout;

import org.jspecify.annotations.NullMarked;
