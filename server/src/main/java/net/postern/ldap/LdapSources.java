package net.postern.ldap;

import com.unboundid.ldap.sdk.DN;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPURL;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/** Looks at what a person writes about a directory before it is used. */
public final class LdapSources {
  private LdapSources() {}

  /**
   * What is wrong with URLs, base DN and filters, as a sentence that says what to write.
   *
   * @return empty when nothing is
   */
  public static Optional<String> check(
      List<String> urls, String base, String userFilter, String groupFilter) {
    for (String url : urls) {
      try {
        LDAPURL parsed = new LDAPURL(url);
        if (!List.of("ldap", "ldaps").contains(parsed.getScheme()) || !parsed.hostProvided()) {
          return Optional.of(
              "\"" + url + "\" is no URL of an LDAP server, such as ldaps://ldap.example.com");
        }
      } catch (LDAPException e) {
        return Optional.of(
            "\"" + url + "\" is no URL of an LDAP server, such as ldaps://ldap.example.com");
      }
    }
    if (!DN.isValidDN(base) || base.isBlank()) {
      return Optional.of("\"" + base + "\" is no DN, such as dc=example,dc=com");
    }
    for (String filter : List.of(userFilter, groupFilter)) {
      try {
        Filter _ = filter.isEmpty() ? Filter.createPresenceFilter("cn") : Filter.create(filter);
      } catch (LDAPException e) {
        return Optional.of(
            "\"%s\" is no filter, such as (objectClass=inetOrgPerson): %s"
                .formatted(filter, e.getMessage()));
      }
    }
    return Optional.empty();
  }

  /** Whether a URL leads over a network without TLS of its own. */
  public static boolean plain(List<String> urls) {
    for (String url : urls) {
      try {
        LDAPURL parsed = new LDAPURL(url);
        if (parsed.getScheme().equals("ldap") && !isLoopback(parsed.getHost())) {
          return true;
        }
      } catch (LDAPException e) {
        return true;
      }
    }
    return false;
  }

  private static boolean isLoopback(String host) {
    try {
      return host.equals("localhost") || InetAddress.ofLiteral(host).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
