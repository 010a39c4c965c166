/**
 * Greylisting (RFC 6647): what comes for the first time is asked to come again.
 *
 * <p>A mail server keeps its queue and comes again; most programs that send spam from stolen
 * machines do not, and those that do come when the block lists know them. Who came again is
 * remembered for weeks. The price is a delay of what is new, so it is for those who ask for it.
 *
 * <p>What has to be the same the second time is a triple: where it comes from, the reverse-path and
 * the recipient. The first is the hard one: large providers send again from another of their
 * thousands of servers. So it is the domain that SPF proved, or the verified name of the client,
 * and only without either the network ({@link net.postern.greylist.Triple}). Reverse-paths that are
 * made anew for each message are brought to one form ({@link net.postern.greylist.SenderForm}).
 *
 * <p>Nodes share what they know in the database. When it is away nothing is put off.
 */
@NullMarked
package net.postern.greylist;

import org.jspecify.annotations.NullMarked;
