package net.postern.dns;

import com.github.benmanes.caffeine.cache.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.xbill.DNS.ResolverConfig;
import org.xbill.DNS.hosts.HostsFileParser;

/**
 * Asks name servers through dnsjava: UDP with TCP for what is truncated, answers and denials cached
 * by their TTLs, the system's hosts file honoured for addresses. Names are absolute: no search
 * list.
 *
 * <p>Make one for a whole node: the cache and what is under way are shared by it and by all that
 * {@link #within} makes of it.
 */
public final class DnsjavaResolver implements Resolver {
  private static final int CACHE_ENTRIES = 20_000;

  private final DnsClient client;
  private final Duration limit;

  private final DnsClient.Budget budget;

  private DnsjavaResolver(DnsClient client, Duration limit, DnsClient.Budget budget) {
    this.client = client;
    this.limit = limit;
    this.budget = budget;
  }

  /** A resolver with a cache of its own. */
  public static DnsjavaResolver open(DnsSettings settings) {
    return open(settings, new HostsFileParser(), Ticker.systemTicker());
  }

  /**
   * Asks one server.
   *
   * @param limit longest time for one answer
   */
  public static DnsjavaResolver of(InetSocketAddress server, Duration limit) {
    return open(new DnsSettings(List.of(server), limit, CACHE_ENTRIES));
  }

  /** For tests: with a hosts file of its own, and a clock for what is remembered. */
  static DnsjavaResolver open(DnsSettings settings, Path hosts, Ticker ticker) {
    return open(settings, new HostsFileParser(hosts), ticker);
  }

  private static DnsjavaResolver open(DnsSettings given, HostsFileParser hosts, Ticker ticker) {
    DnsSettings settings =
        given.servers().isEmpty()
            ? new DnsSettings(
                ResolverConfig.getCurrentConfig().servers(), given.timeout(), given.cacheEntries())
            : given;
    return new DnsjavaResolver(
        new DnsClient(settings, hosts, ticker), settings.timeout(), DnsClient.Budget.OWN);
  }

  @Override
  public Answer<MxRecord> mx(String domain) {
    return client.ask(domain, Kind.MX, limit, budget);
  }

  @Override
  public Answer<InetAddress> a(String host) {
    return client.ask(host, Kind.A, limit, budget);
  }

  @Override
  public Answer<InetAddress> aaaa(String host) {
    return client.ask(host, Kind.AAAA, limit, budget);
  }

  @Override
  public Answer<String> txt(String name) {
    return client.ask(name, Kind.TXT, limit, budget);
  }

  @Override
  public Answer<String> ptr(InetAddress address) {
    return client.ask(DnsNames.reverse(address), Kind.PTR, limit, budget);
  }

  @Override
  public DnsjavaResolver within(Duration shorter) {
    return shorter.compareTo(limit) < 0 ? new DnsjavaResolver(client, shorter, budget) : this;
  }

  /**
   * The same answers for questions that strangers cause: they have a budget of their own, so that
   * however many connect, what this node itself has to know is asked without waiting for them.
   */
  public DnsjavaResolver forStrangers() {
    return new DnsjavaResolver(client, limit, DnsClient.Budget.STRANGERS);
  }

  /**
   * The same answers for questions to block lists and allow lists, with a budget of their own:
   * whatever names strangers make us ask for, the lists about them are still asked.
   */
  public DnsjavaResolver forLists() {
    return new DnsjavaResolver(client, limit, DnsClient.Budget.LISTS);
  }

  /** What the client behind this resolver did, for all that share it. */
  public DnsStats stats() {
    return client.stats();
  }
}
