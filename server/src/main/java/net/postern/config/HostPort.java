package net.postern.config;

import java.util.Optional;

/**
 * A host and a port, written {@code host:port} or {@code [IPv6]:port}.
 *
 * @param host name or address without brackets
 * @param port 0 to 65,535
 */
public record HostPort(String host, int port) {

  /** Reads the written form; empty when it is none. */
  public static Optional<HostPort> parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      return Optional.empty();
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      return Optional.empty();
    }
    String digits = text.substring(colon + 1);
    if (host.isEmpty() || digits.isEmpty() || digits.length() > 5) {
      return Optional.empty();
    }
    if (!digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return Optional.empty();
    }
    int port = Integer.parseInt(digits);
    return port > 65_535 ? Optional.empty() : Optional.of(new HostPort(host, port));
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
