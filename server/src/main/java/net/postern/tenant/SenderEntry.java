package net.postern.tenant;

import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.config.Network;

/**
 * Whom an entry of a safelist or blocklist means.
 *
 * <p>As text: {@code ann@example.com}, {@code example.com} for that domain alone, {@code
 * .example.com} for it and all below it, {@code 192.0.2.1}, {@code 192.0.2.0/24}.
 */
public sealed interface SenderEntry {

  /** One sender's reverse-path; {@code key} as {@link EmailAddress#key} has it. */
  record Address(String key) implements SenderEntry {
    @Override
    public String toString() {
      return key;
    }
  }

  /**
   * Every sender of a domain.
   *
   * @param below whether the domains below it are meant too
   */
  record Domain(String name, boolean below) implements SenderEntry {
    @Override
    public String toString() {
      return (below ? "." : "") + name;
    }
  }

  /** Clients by their address, whoever they say that they send for. */
  record Clients(Network network) implements SenderEntry {
    @Override
    public String toString() {
      return network.toString();
    }
  }

  /** Reads the text of an entry; empty when it is none. */
  static Optional<SenderEntry> parse(String text) {
    String trimmed = text.strip();
    if (trimmed.indexOf('@') >= 0) {
      return EmailAddress.parse(trimmed).map(address -> new Address(address.key()));
    }
    Optional<Network> network = Network.parse(trimmed);
    if (network.isPresent()) {
      return Optional.of(new Clients(first(network.get())));
    }
    boolean below = trimmed.startsWith(".");
    return EmailAddress.normalDomain(below ? trimmed.substring(1) : trimmed)
        // A name whose last part is a number is an address that was mistyped (RFC 3696 §2).
        .filter(name -> !name.startsWith("[") && !name.matches("(.*\\.)?[0-9]+"))
        .map(name -> new Domain(name.toLowerCase(Locale.ROOT), below));
  }

  // 192.0.2.77/24 and 192.0.2.0/24 are one network, and have to be one entry.
  private static Network first(Network network) {
    byte[] bytes = network.address().getAddress();
    for (int bit = network.prefix(); bit < bytes.length * 8; bit++) {
      bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
    }
    try {
      return new Network(InetAddress.getByAddress(bytes), network.prefix());
    } catch (java.net.UnknownHostException e) {
      throw new IllegalStateException("4 or 16 bytes are an address", e);
    }
  }
}
