package net.postern.delivery;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import net.postern.delivery.DeliveryResult.Diagnosis;
import net.postern.dns.Answer;
import net.postern.dns.MxRecord;
import net.postern.dns.Resolver;
import net.postern.tenant.Route;

/** Finds the next hop of a route; for MX routes by the rules of RFC 5321 §5.1. */
final class HopFinder {
  /** Servers of one domain that are considered; a bound on how long one attempt can take. */
  private static final int MAX_SERVERS = 10;

  private final Resolver resolver;
  private final String hostname;
  private final int mxPort;

  /**
   * @param hostname ours, to recognise a loop
   * @param mxPort 25, except in tests
   */
  HopFinder(Resolver resolver, String hostname, int mxPort) {
    this.resolver = resolver;
    this.hostname = hostname.toLowerCase(Locale.ROOT);
    this.mxPort = mxPort;
  }

  /** A hop, or why there is none. */
  sealed interface Found {
    record At(Hop hop) implements Found {}

    record Nowhere(DeliveryResult result) implements Found {}
  }

  Found find(Route route, String domain) {
    return switch (route) {
      case Route.Smtp(List<Route.Target> targets, Route.Tls tls) ->
          new Found.At(
              new Hop.Servers(targets.stream().map(List::of).toList(), tls, Hop.Reach.ANY));
      case Route.Maildir(java.nio.file.Path directory) -> new Found.At(new Hop.Maildirs(directory));
      case Route.Mx(Route.Tls tls) -> mx(domain, tls);
    };
  }

  private Found mx(String domain, Route.Tls tls) {
    if (domain.startsWith("[")) {
      return literal(domain, tls);
    }
    return switch (resolver.mx(domain)) {
      case Answer.Found<MxRecord>(List<MxRecord> records) -> exchangers(domain, records, tls);
      case Answer.NoData<MxRecord> _ -> implicit(domain, tls);
      case Answer.NxDomain<MxRecord> _ ->
          permanent("5.1.2", "the domain " + domain + " does not exist");
      case Answer.Failure<MxRecord>(String reason, Answer.Cause _) -> later("4.4.3", reason);
    };
  }

  private Found exchangers(String domain, List<MxRecord> records, Route.Tls tls) {
    // RFC 7505 §3: a single record with the root as its host says that no mail is taken.
    if (records.stream().allMatch(record -> record.host().isEmpty())) {
      return permanent("5.1.10", "the domain " + domain + " takes no mail (null MX)");
    }
    SortedMap<Integer, List<Route.Target>> byPreference = new TreeMap<>();
    int ours = Integer.MAX_VALUE;
    for (MxRecord record : records) {
      if (record.host().equalsIgnoreCase(hostname)) {
        ours = Math.min(ours, record.preference());
      } else if (!record.host().isEmpty()) {
        byPreference
            .computeIfAbsent(record.preference(), preference -> new ArrayList<>())
            .add(new Route.Target(record.host(), mxPort));
      }
    }
    // RFC 5321 §5.1: where we are an exchanger ourselves, those that are no better than us would
    // only send the mail back.
    SortedMap<Integer, List<Route.Target>> better = byPreference.headMap(ours);
    if (better.isEmpty()) {
      return permanent("5.4.6", "mail for " + domain + " would come back to this server");
    }
    return new Found.At(new Hop.Servers(bounded(better), tls, Hop.Reach.PUBLIC));
  }

  private static List<List<Route.Target>> bounded(
      SortedMap<Integer, List<Route.Target>> byPreference) {
    List<List<Route.Target>> tiers = new ArrayList<>();
    int room = MAX_SERVERS;
    for (List<Route.Target> tier : byPreference.values()) {
      List<Route.Target> distinct = tier.stream().distinct().sorted(ORDER).limit(room).toList();
      if (!distinct.isEmpty()) {
        tiers.add(distinct);
      }
      room -= distinct.size();
    }
    return tiers;
  }

  // One order for every answer, so that equal sets of servers are equal hops.
  private static final java.util.Comparator<Route.Target> ORDER =
      java.util.Comparator.comparing(Route.Target::host);

  // RFC 5321 §5.1: a domain without MX is its own exchanger.
  private Found implicit(String domain, Route.Tls tls) {
    Answer<InetAddress> four = resolver.a(domain);
    Answer<InetAddress> six = resolver.aaaa(domain);
    if (four instanceof Answer.Found || six instanceof Answer.Found) {
      return domain.equalsIgnoreCase(hostname)
          ? permanent("5.4.6", "mail for " + domain + " would come back to this server")
          : single(domain, tls);
    }
    if (four instanceof Answer.Failure<InetAddress>(String reason, Answer.Cause _)) {
      return later("4.4.3", reason);
    }
    if (six instanceof Answer.Failure<InetAddress>(String reason, Answer.Cause _)) {
      return later("4.4.3", reason);
    }
    return permanent("5.1.2", "the domain " + domain + " has no mail server");
  }

  // RFC 5321 §4.1.3.
  private Found literal(String domain, Route.Tls tls) {
    String text = domain.substring(1, domain.length() - 1);
    String address = text.regionMatches(true, 0, "ipv6:", 0, 5) ? text.substring(5) : text;
    try {
      return single(InetAddress.ofLiteral(address).getHostAddress(), tls);
    } catch (IllegalArgumentException e) {
      return permanent("5.1.2", domain + " is no address literal");
    }
  }

  private Found single(String host, Route.Tls tls) {
    List<List<Route.Target>> tiers = List.of(List.of(new Route.Target(host, mxPort)));
    return new Found.At(new Hop.Servers(tiers, tls, Hop.Reach.PUBLIC));
  }

  private static Found permanent(String status, String why) {
    return new Found.Nowhere(new DeliveryResult.Permanent(Diagnosis.own(status, why)));
  }

  private static Found later(String status, String why) {
    return new Found.Nowhere(new DeliveryResult.Transient(Diagnosis.own(status, why)));
  }
}
