/**
 * Tests of the header section: fields that should be there and are not, dates that cannot be,
 * senders that show one address and use another.
 *
 * <p>Mail programs and mailing services write these fields alike and right (RFC 5322 §3.6); the
 * programs of spammers often do not. Single defects are common in good automatic mail, so scores
 * here are small.
 */
@NullMarked
package net.postern.filter.header;

import org.jspecify.annotations.NullMarked;
