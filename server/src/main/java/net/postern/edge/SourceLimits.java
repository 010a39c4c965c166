package net.postern.edge;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.config.Network;

/**
 * Counts connections by source: an IPv4 address, or an IPv6 /64, the least that one subscriber has
 * to pick addresses from. Safe for many threads; keeps nothing of sources that have no connection.
 */
final class SourceLimits {
  private record Source(boolean ipv6, long prefix) {}

  private final int limit;
  private final List<Network> unlimited;
  private final ConcurrentHashMap<Source, Integer> counts = new ConcurrentHashMap<>();

  SourceLimits(int limit, List<Network> unlimited) {
    this.limit = limit;
    this.unlimited = List.copyOf(unlimited);
  }

  /** Counts one more; false, and nothing counted, when the source has its share already. */
  boolean enter(InetAddress client) {
    return enter(client, limit);
  }

  /** The same with another share. */
  boolean enter(InetAddress client, int share) {
    if (isUnlimited(client)) {
      return true;
    }
    boolean[] entered = {false};
    counts.compute(
        sourceOf(client),
        (source, count) -> {
          int now = count == null ? 0 : count;
          entered[0] = now < share;
          return entered[0] ? Integer.valueOf(now + 1) : count;
        });
    return entered[0];
  }

  /** Takes back what {@link #enter} counted. */
  void leave(InetAddress client) {
    if (!isUnlimited(client)) {
      counts.computeIfPresent(
          sourceOf(client), (source, count) -> count > 1 ? Integer.valueOf(count - 1) : null);
    }
  }

  /** Sources that have a connection now. */
  int sources() {
    return counts.size();
  }

  private boolean isUnlimited(InetAddress client) {
    return Network.anyContains(unlimited, client);
  }

  private static Source sourceOf(InetAddress client) {
    ByteBuffer bytes = ByteBuffer.wrap(client.getAddress());
    return client instanceof Inet4Address
        ? new Source(false, bytes.getInt())
        : new Source(true, bytes.getLong());
  }
}
