package net.postern.dns;

import java.net.InetAddress;
import java.util.List;

/**
 * What the DNS calls a client, and whether the name agrees (FCrDNS; RFC 8601 §3, {@code iprev}):
 * anyone may write any name into the zone of his addresses, but only the owner of a name can give
 * it an address.
 */
public sealed interface ReverseName {
  /** Names of one address that are looked up, as for SPF (RFC 7208 §4.6.4); the rest is ignored. */
  int MAX_NAMES = 10;

  /** The first name that has the address. */
  record Verified(String name) implements ReverseName {}

  /** There are names, and none of them has the address; this is the first. */
  record Unverified(String name) implements ReverseName {}

  /** There is no name. */
  record None() implements ReverseName {}

  /** It could not be found out. Try later. */
  record Failed(String reason) implements ReverseName {}

  /** Looks the names of an address up, and their addresses: at most 11 questions. */
  static ReverseName verify(InetAddress client, Resolver resolver) {
    return switch (resolver.ptr(client)) {
      case Answer.NoData<String> _, Answer.NxDomain<String> _ -> new None();
      case Answer.Failure<String>(String reason, Answer.Cause _) -> new Failed(reason);
      case Answer.Found<String>(List<String> names) -> verify(client, names, resolver);
    };
  }

  private static ReverseName verify(InetAddress client, List<String> names, Resolver resolver) {
    boolean six = client.getAddress().length > 4;
    ReverseName otherwise = new Unverified(names.getFirst());
    for (String name : names.subList(0, Math.min(names.size(), MAX_NAMES))) {
      switch (six ? resolver.aaaa(name) : resolver.a(name)) {
        case Answer.Found<InetAddress>(List<InetAddress> addresses) -> {
          if (addresses.contains(client)) {
            return new Verified(name);
          }
        }
        case Answer.Failure<InetAddress>(String reason, Answer.Cause _) ->
            otherwise = new Failed(reason);
        case Answer.NoData<InetAddress> _, Answer.NxDomain<InetAddress> _ -> {}
      }
    }
    return otherwise;
  }
}
