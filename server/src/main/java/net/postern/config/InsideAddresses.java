package net.postern.config;

import java.net.InetAddress;
import java.util.List;

/**
 * Addresses that are not of the public Internet (RFC 6890): this host, private networks, links,
 * groups. Nobody's list or DNS knows anything of them, and no mail exchanger of a stranger is
 * there.
 */
public final class InsideAddresses {
  private static final List<Network> NETWORKS =
      List.of(
          network("0.0.0.0/8"),
          network("10.0.0.0/8"),
          network("100.64.0.0/10"),
          network("127.0.0.0/8"),
          network("169.254.0.0/16"),
          network("172.16.0.0/12"),
          network("192.0.0.0/24"),
          network("192.168.0.0/16"),
          network("198.18.0.0/15"),
          network("224.0.0.0/3"),
          network("::/128"),
          network("::1/128"),
          network("64:ff9b:1::/48"),
          network("fc00::/7"),
          network("fe80::/10"),
          // RFC 3879 §4: given up, and still in use here and there.
          network("fec0::/10"),
          network("ff00::/8"));

  private InsideAddresses() {}

  public static boolean contain(InetAddress address) {
    return Network.anyContains(NETWORKS, address);
  }

  private static Network network(String text) {
    return Network.parse(text).orElseThrow();
  }
}
