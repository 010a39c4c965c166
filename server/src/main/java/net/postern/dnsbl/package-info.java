/**
 * Block lists and allow lists that are asked through the DNS (RFC 5782).
 *
 * <p>A list is a zone: the bytes of an address in reverse order, or a domain, are put before its
 * name, and an address record below {@code 127.0.0.0/8} means "listed", its last parts saying why.
 * Lists err, die, limit who may ask, and some of those that died answered that everything is
 * listed. So each kind of answer has a weight of its own ({@link net.postern.dnsbl.Zone}); what is
 * no listing is an error and never counts; and each zone is watched ({@link
 * net.postern.dnsbl.ZoneHealth}): one that lists what no list has, refuses us or is silent is left
 * alone for a growing time. A list that does not answer has not listed anything.
 */
@NullMarked
package net.postern.dnsbl;

import org.jspecify.annotations.NullMarked;
