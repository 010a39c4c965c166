package net.postern.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * How a client of the DNS works.
 *
 * @param servers asked in this order, those that answer before those that did not lately; none
 *     means the ones that the system is set up with
 * @param timeout longest time for one question, all tries with all servers together
 * @param cacheEntries bound on what is remembered: answers of up to 512 octets, larger ones count
 *     as several
 */
public record DnsSettings(List<InetSocketAddress> servers, Duration timeout, int cacheEntries) {
  public DnsSettings {
    servers = List.copyOf(servers);
    if (timeout.isZero() || timeout.isNegative() || cacheEntries < 0) {
      throw new IllegalArgumentException("a time above zero, and no negative number of entries");
    }
  }
}
