package net.postern.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A real recursive name server (Debian's unbound) on loopback, which knows the zones that a test
 * gives it and nothing else: it asks nobody.
 */
public final class UnboundServer implements AutoCloseable {
  private static final String PROBE = "probe.invalid";

  private static final String ROOT =
      """
      . 300 IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60
      . 300 IN NS ns.invalid.
      """;

  /** A circle of aliases, which no server can get out of. */
  private static final String BROKEN =
      """
      @ 300 IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60
      @ 300 IN NS ns.invalid.
      * 300 IN CNAME round
      round 300 IN CNAME circle
      circle 300 IN CNAME round
      """;

  private final Daemon daemon;
  private final InetSocketAddress address;

  private UnboundServer(Daemon daemon, InetSocketAddress address) {
    this.daemon = daemon;
    this.address = address;
  }

  /**
   * Starts one. Skips the test where unbound is not installed; fails it under CI.
   *
   * @param zones text of a master file (RFC 1035 §5) for each zone
   * @param broken name of a zone in which questions for names end with SERVFAIL; empty for none
   */
  public static UnboundServer start(Map<String, String> zones, String broken) {
    return start(zones, broken, Map.of());
  }

  /**
   * Starts one that asks others too.
   *
   * @param others the server to ask for each zone that somebody else has
   */
  public static UnboundServer start(
      Map<String, String> zones, String broken, Map<String, InetSocketAddress> others) {
    String program = Daemon.program("unbound", "unbound");
    Path directory = Daemon.directory("unbound");
    int port = Ports.free();
    InetSocketAddress address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
    try {
      Path conf = directory.resolve("unbound.conf");
      Files.writeString(conf, conf(directory, port, zones, broken, others));
      Files.writeString(directory.resolve("root"), ROOT);
      Files.writeString(directory.resolve("broken"), BROKEN);
      int number = 0;
      for (String zone : zones.values()) {
        Files.writeString(directory.resolve("zone" + number++), zone);
      }
      Daemon daemon =
          Daemon.start(
              directory,
              () -> DnsProbe.answers(address, PROBE),
              program,
              "-d",
              "-c",
              conf.toString());
      return new UnboundServer(daemon, address);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public InetSocketAddress address() {
    return address;
  }

  /** What it has logged: every question that it was asked. */
  public String log() {
    return daemon.log();
  }

  @Override
  public void close() {
    daemon.close();
  }

  private static String conf(
      Path directory,
      int port,
      Map<String, String> zones,
      String broken,
      Map<String, InetSocketAddress> others) {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        server:
          interface: 127.0.0.1
          port: %1$d
          access-control: 127.0.0.0/8 allow
          do-daemonize: no
          username: ""
          chroot: ""
          directory: "%2$s"
          pidfile: ""
          use-syslog: no
          log-queries: yes
          verbosity: 1
          num-threads: 1
          do-ip6: no
          do-not-query-localhost: no
          module-config: "iterator"
          local-zone: "invalid." always_nxdomain
          outgoing-range: 256
          so-rcvbuf: 4m
          so-sndbuf: 4m
          num-queries-per-thread: 4096
        """
            .formatted(port, directory));
    int number = 0;
    for (String name : zones.keySet()) {
      out.append("  local-zone: \"").append(name).append("\" nodefault\n");
    }
    for (String name : zones.keySet()) {
      zone(out, name, directory.resolve("zone" + number++));
    }
    if (!broken.isEmpty()) {
      zone(out, broken, directory.resolve("broken"));
    }
    others.forEach(
        (name, server) ->
            out.append("forward-zone:\n  name: \"%s\"\n".formatted(name))
                .append("  forward-addr: 127.0.0.1@%d\n".formatted(server.getPort())));
    // A root without anything, so that nobody else is asked.
    zone(out, ".", directory.resolve("root"));
    out.append("remote-control:\n  control-enable: no\n");
    return out.toString();
  }

  // Not for downstream: answers are those of a resolver that has looked in the zone.
  private static void zone(StringBuilder out, String name, Path file) {
    out.append(
        """
        auth-zone:
          name: "%s"
          zonefile: "%s"
          for-downstream: no
          for-upstream: yes
          fallback-enabled: no
        """
            .formatted(name, file));
  }
}
