package net.postern.config;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * A network in CIDR notation (RFC 4632), or a single address.
 *
 * @param address first address of the network, 4 or 16 bytes
 * @param prefix 0 to 32 or 128
 */
public record Network(InetAddress address, int prefix) {

  /**
   * Reads {@code 192.0.2.0/24}, {@code 2001:db8::/32} or a plain address; empty when it is none.
   */
  public static Optional<Network> parse(String text) {
    int slash = text.indexOf('/');
    String host = slash < 0 ? text : text.substring(0, slash);
    InetAddress address;
    try {
      address = InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    int bits = address.getAddress().length * 8;
    if (slash < 0) {
      return Optional.of(new Network(address, bits));
    }
    String digits = text.substring(slash + 1);
    if (!digits.matches("\\d{1,3}") || Integer.parseInt(digits) > bits) {
      return Optional.empty();
    }
    return Optional.of(new Network(address, Integer.parseInt(digits)));
  }

  /** Whether the address lies in this network. Addresses of the other family never do. */
  public boolean contains(InetAddress candidate) {
    byte[] mine = address.getAddress();
    byte[] other = candidate.getAddress();
    if (mine.length != other.length) {
      return false;
    }
    int whole = prefix / 8;
    for (int i = 0; i < whole; i++) {
      if (mine[i] != other[i]) {
        return false;
      }
    }
    int rest = prefix % 8;
    if (rest == 0) {
      return true;
    }
    int mask = 0xff << (8 - rest);
    return (mine[whole] & mask) == (other[whole] & mask);
  }

  /** Whether an address lies in any of these networks. */
  public static boolean anyContains(List<Network> networks, InetAddress candidate) {
    for (int i = 0; i < networks.size(); i++) {
      if (networks.get(i).contains(candidate)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String toString() {
    return address.getHostAddress() + "/" + prefix;
  }
}
