/**
 * Reads customers' users and groups from their LDAP directories (RFC 4511).
 *
 * <p>{@link net.postern.ldap.LdapReader} makes a snapshot of one directory, or says why it cannot:
 * a part of the entries is never taken for all. {@link net.postern.ldap.LdapSync} has it applied by
 * {@link net.postern.tenant.DirectorySync}, which knows what a shrunken directory means.
 */
@NullMarked
package net.postern.ldap;

import org.jspecify.annotations.NullMarked;
