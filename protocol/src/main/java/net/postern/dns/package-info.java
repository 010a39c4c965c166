/**
 * Questions to the DNS, with answers that cannot be confused.
 *
 * <p>Mail depends on the difference between "there is none" and "I could not find out": a domain
 * without MX has an implicit one (RFC 5321 §5.1), a name server that is silent means try later. So
 * an {@link net.postern.dns.Answer} is sealed: found, no data, no such name, or failure.
 *
 * <p>{@link net.postern.dns.DnsjavaResolver} asks real name servers and caches by their TTLs;
 * {@link net.postern.dns.MapResolver} answers from plain maps, for tests and for closed networks.
 * Names are given and returned without the final dot; the root is the empty text.
 */
@NullMarked
package net.postern.dns;

import org.jspecify.annotations.NullMarked;
