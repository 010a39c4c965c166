package net.postern.source;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import net.postern.config.Network;

/**
 * A client address or network. One subscriber has an IPv4 address or an IPv6 /64, the least that is
 * given to anyone (RFC 6177 §2); the network around it is an IPv4 /24 or an IPv6 /48.
 *
 * @param ipv6 of which family it is
 * @param bits of the address, those beyond the prefix zero: all 32 of IPv4, the first 64 of IPv6
 * @param prefix 32 or 64 for an address, 24 or 48 for a network
 */
public record Source(boolean ipv6, long bits, int prefix) implements Subject {
  private static final int IPV4_NETWORK = 24;
  private static final int IPV6_ADDRESS = 64;
  private static final int IPV6_NETWORK = 48;

  /** The subscriber that a client address belongs to. */
  public static Source address(InetAddress client) {
    ByteBuffer bytes = ByteBuffer.wrap(client.getAddress());
    return client instanceof Inet4Address
        ? new Source(false, bytes.getInt() & 0xffff_ffffL, 32)
        : new Source(true, bytes.getLong(), IPV6_ADDRESS);
  }

  /** The network that a client address belongs to. */
  public static Source network(InetAddress client) {
    return address(client).network();
  }

  /** The network around an address; a network is its own. */
  public Source network() {
    return ipv6
        ? new Source(true, bits & -1L << (64 - IPV6_NETWORK), IPV6_NETWORK)
        : new Source(false, bits & -1L << (32 - IPV4_NETWORK), IPV4_NETWORK);
  }

  public boolean isNetwork() {
    return prefix == (ipv6 ? IPV6_NETWORK : IPV4_NETWORK);
  }

  /**
   * Reads an address, or a network in CIDR notation.
   *
   * @return empty when it is none, or a network of another size than those that are counted
   */
  public static Optional<Source> parse(String text) {
    return Network.parse(text)
        .flatMap(
            network -> {
              Source address = address(network.address());
              int whole = address.ipv6 ? 128 : 32;
              if (network.prefix() == whole || network.prefix() == address.prefix) {
                return Optional.of(address);
              }
              return network.prefix() == address.network().prefix
                  ? Optional.of(address.network())
                  : Optional.empty();
            });
  }

  @Override
  public String text() {
    if (ipv6) {
      return "%x:%x:%x:%x::/%d"
          .formatted(
              bits >>> 48, bits >>> 32 & 0xffff, bits >>> 16 & 0xffff, bits & 0xffff, prefix);
    }
    String address =
        (bits >> 24) + "." + (bits >> 16 & 0xff) + "." + (bits >> 8 & 0xff) + "." + (bits & 0xff);
    return prefix == 32 ? address : address + "/" + prefix;
  }

  @Override
  public String toString() {
    return text();
  }
}
