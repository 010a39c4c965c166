package net.postern.tenant;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import net.postern.id.CustomerId;

/**
 * Where a customer's users and groups come from.
 *
 * @param urls {@code ldap:} or {@code ldaps:}, tried in order; at least one
 * @param startTls whether a connection to {@code ldap:} becomes a TLS one before anything is said
 * @param trusted certificates in PEM that are trusted; empty: those that Java trusts
 * @param bindDn who asks; empty: anonymous
 * @param userFilter by RFC 4515; empty: that of the shape
 * @param groupFilter likewise
 * @param mailAttributes where addresses are, the primary one's attribute first; empty: those of the
 *     shape
 * @param interval from one sync to the next
 * @param grace how long the addresses of who is gone are still taken
 * @param maxGone of entries, people and addresses, in percent: when more of any are gone at once
 *     nothing is changed
 */
public record DirectorySource(
    CustomerId customer,
    List<String> urls,
    boolean startTls,
    String trusted,
    String bindDn,
    Optional<String> password,
    String baseDn,
    Shape shape,
    String userFilter,
    String groupFilter,
    List<String> mailAttributes,
    Duration interval,
    Duration grace,
    int maxGone) {

  /** Whose schema the directory follows. */
  public enum Shape {
    /** inetOrgPerson and groupOfNames, as OpenLDAP and others have them. */
    OPENLDAP,
    /** Active Directory. */
    AD
  }

  public DirectorySource {
    urls = List.copyOf(urls);
    mailAttributes = List.copyOf(mailAttributes);
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "directory " + urls + " below " + baseDn + " of customer " + customer;
  }
}
