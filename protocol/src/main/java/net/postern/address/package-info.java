/**
 * Mail addresses as SMTP knows them: {@code local-part@domain}.
 *
 * <p>The local part belongs to the receiving host and is kept as it was written (RFC 5321 §2.4);
 * the domain is compared without case and in its A-label form (RFC 5890), so that one mailbox has
 * one {@linkplain net.postern.address.EmailAddress#key() key} whichever way a sender spells it.
 */
@NullMarked
package net.postern.address;

import org.jspecify.annotations.NullMarked;
