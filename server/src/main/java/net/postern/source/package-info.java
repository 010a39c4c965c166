/**
 * What is known of those who send: by client address, by network, and by the domain that they write
 * to.
 *
 * <p>A source is an IPv4 address or an IPv6 /64, and the IPv4 /24 or IPv6 /48 around it. {@link
 * net.postern.source.Sources} is the door: it counts what sources do and answers, from memory
 * alone, whether one is blocked, harvests addresses, or is too fast. {@link
 * net.postern.source.SourceBook} shares the counts with the other nodes through the database about
 * once a second; while the database is away each node goes on with what it knows.
 */
@NullMarked
package net.postern.source;

import org.jspecify.annotations.NullMarked;
