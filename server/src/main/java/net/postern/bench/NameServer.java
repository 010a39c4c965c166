package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The installed unbound with zones of ours and nothing else: it asks nobody. On an address of
 * loopback of its own, so that it may have port 53, the only one that a resolv.conf can name.
 */
final class NameServer implements AutoCloseable {
  private static final int PORT = 53;

  private final Child child;
  private final String host;

  private NameServer(Child child, String host) {
    this.child = child;
    this.host = host;
  }

  /** Whether this machine and user can run it. */
  static boolean possible() {
    return Tools.has("unbound") && Tools.isRoot();
  }

  /**
   * @param zones as {@code local-zone} and {@code local-data}
   */
  static NameServer start(Path directory, String zones) throws BenchException {
    long pid = ProcessHandle.current().pid();
    // 127.53.0.0 to 127.53.255.255: several measurements may run at a time.
    String host = "127.53.%d.%d".formatted(pid >> 8 & 0xff, pid & 0xff);
    Path config = directory.resolve("unbound.conf");
    try {
      Files.writeString(directory.resolve("zones.conf"), zones);
      Files.writeString(
          config,
          """
          server:
            interface: %1$s
            port: %2$d
            access-control: 127.0.0.0/8 allow
            do-daemonize: no
            username: ""
            chroot: ""
            directory: "%3$s"
            pidfile: ""
            use-syslog: no
            verbosity: 0
            num-threads: 1
            so-rcvbuf: 4m
            module-config: "iterator"
            include: "%3$s/zones.conf"
          remote-control:
            control-enable: no
          """
              .formatted(host, PORT, directory));
    } catch (IOException e) {
      throw new BenchException("cannot write the name server's configuration", e);
    }
    Child child =
        Child.start(
            directory.resolve("unbound.txt"),
            List.of(Tools.find("unbound", "unbound"), "-d", "-c", config.toString()));
    NameServer server = new NameServer(child, host);
    if (!Child.await(Duration.ofSeconds(30), () -> !child.alive() || Ports.answers(host, PORT))) {
      server.close();
      throw new BenchException("unbound does not answer on %s: %s".formatted(host, child.text()));
    }
    if (!child.alive()) {
      throw new BenchException("unbound ended: " + child.text());
    }
    return server;
  }

  /** The address, for a resolv.conf. */
  String host() {
    return host;
  }

  String address() {
    return host + ":" + PORT;
  }

  long pid() {
    return child.pid();
  }

  @Override
  public void close() {
    child.close();
  }
}
