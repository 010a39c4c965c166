package net.postern.auth;

import java.util.Optional;

/** One element of a record that may match a client (RFC 7208 §5). */
sealed interface SpfMechanism {
  /** The result when it matches (RFC 7208 §4.6.2). */
  SpfResult.Code qualifier();

  /** As it is written. */
  String text();

  /** Matches every client (RFC 7208 §5.1). */
  record All(SpfResult.Code qualifier, String text) implements SpfMechanism {}

  /** Matches when another domain's policy passes (RFC 7208 §5.2). */
  record Include(SpfResult.Code qualifier, String text, SpfText domain) implements SpfMechanism {}

  /** Matches an address of a host (RFC 7208 §5.3). */
  record A(SpfResult.Code qualifier, String text, Optional<SpfText> domain, Prefixes prefixes)
      implements SpfMechanism {}

  /** Matches an address of a mail exchanger (RFC 7208 §5.4). */
  record Mx(SpfResult.Code qualifier, String text, Optional<SpfText> domain, Prefixes prefixes)
      implements SpfMechanism {}

  /** Matches a client whose verified name is below a domain (RFC 7208 §5.5). */
  record Ptr(SpfResult.Code qualifier, String text, Optional<SpfText> domain)
      implements SpfMechanism {}

  /**
   * Matches a network (RFC 7208 §5.6).
   *
   * @param network 4 or 16 octets; only clients with as many match
   */
  record Ip(SpfResult.Code qualifier, String text, byte[] network, int prefix)
      implements SpfMechanism {}

  /** Matches when a name has an IPv4 address, whatever it is (RFC 7208 §5.7). */
  record Exists(SpfResult.Code qualifier, String text, SpfText domain) implements SpfMechanism {}

  /** How many leading bits of an address count: {@code dual-cidr-length}. */
  record Prefixes(int four, int six) {
    int of(byte[] address) {
      return address.length == 4 ? four : six;
    }
  }
}
