package net.postern.dns;

import java.net.InetAddress;
import java.time.Duration;

/**
 * Asks the DNS. Safe for many threads; blocks for a bounded time, so call it from a virtual thread.
 * Never throws for what a name or a server can do: that is {@link Answer.Failure}.
 */
public interface Resolver {

  /** The mail exchangers of a domain, in no particular order. */
  Answer<MxRecord> mx(String domain);

  /** IPv4 addresses of a host; aliases are followed. */
  Answer<InetAddress> a(String host);

  /** IPv6 addresses of a host; aliases are followed. */
  Answer<InetAddress> aaaa(String host);

  /**
   * Text records; the strings of one record are joined (RFC 7208 §3.3) and read as UTF-8, so that
   * what is not ASCII is seen as such.
   */
  Answer<String> txt(String name);

  /** Names of an address (RFC 1035 §3.5), unverified. */
  Answer<String> ptr(InetAddress address);

  /**
   * The same answers for a caller with less time.
   *
   * @param limit longest time for each question; one that is over is a {@link Answer.Failure}. It
   *     shortens this resolver's own limit and never extends it
   */
  Resolver within(Duration limit);
}
