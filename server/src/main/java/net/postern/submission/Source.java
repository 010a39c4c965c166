package net.postern.submission;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;

/** Where a login comes from, in two widths. */
final class Source {
  private Source() {}

  /** For counting what goes wrong: an IPv4 address, or the IPv6 /64 that one subscriber has. */
  static String narrow(InetAddress address) {
    return text(address, address instanceof Inet4Address ? 4 : 8);
  }

  /**
   * For remembering where an account is used: an IPv4 /24 or IPv6 /48, in which a subscriber's
   * address changes from day to day.
   */
  static String wide(InetAddress address) {
    return text(address, address instanceof Inet4Address ? 3 : 6);
  }

  private static String text(InetAddress address, int bytes) {
    return HexFormat.of().formatHex(Arrays.copyOf(address.getAddress(), bytes));
  }
}
