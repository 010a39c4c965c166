package net.postern.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.config.ConfigLoader;
import net.postern.config.PosternConfig;
import net.postern.edge.ListenException;
import net.postern.ledger.MessageQueries;
import net.postern.node.DataDirectory;
import net.postern.node.Node;
import net.postern.node.StartException;
import net.postern.tenant.Customer;
import net.postern.tenant.Route;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;

/**
 * The node of the demonstration: its directory, configuration and ports, and the customer it
 * serves. Can be stopped and started again on the same ports. One thread.
 */
final class DemoNode implements AutoCloseable {
  static final String CUSTOMER = "Postern demo";

  private static final String MARK = "# Written by postern demo, anew at each run.";
  private static final int SMTP_PORT = 2525;
  private static final int HTTP_PORT = 8025;

  /** Ports that are tried, one after the other. */
  private static final int PORTS = 100;

  /** Starts that are tried when another program takes a port between the look and the start. */
  private static final int STARTS = 5;

  private final Path data;
  private final PrintWriter out;
  private Optional<Node> running = Optional.empty();
  private int smtpPort;
  private int httpPort;

  private DemoNode(Path data, PrintWriter out) {
    this.data = data;
    this.out = out;
  }

  /**
   * Prepares a directory: a new or empty one, or one of an earlier demonstration.
   *
   * @throws StartException when it cannot be used; the message says why
   */
  static DemoNode in(Path data, PrintWriter out) throws StartException {
    try {
      if (Files.exists(data) && !Files.isDirectory(data)) {
        throw new StartException(data + " is a file; name a directory with --data");
      }
      Files.createDirectories(data);
      if (!Files.isWritable(data)) {
        throw new AccessDeniedException(data.toString());
      }
      Path file = data.resolve("postern.toml");
      if (Files.exists(file) ? !Files.readString(file).startsWith(MARK) : !isEmpty(data)) {
        throw new StartException(
            "%s holds files that are not of a demonstration; name another directory with --data"
                .formatted(data));
      }
      DemoNode node = new DemoNode(data, out);
      node.writeConfig(SMTP_PORT, HTTP_PORT);
      try (DataDirectory _ = DataDirectory.claim(data)) {
        StoreCheck.putBack(data);
      }
      return node;
    } catch (AccessDeniedException e) {
      throw new StartException(
          "no permission to write in %s for the user %s; name another directory with --data"
              .formatted(data, System.getProperty("user.name")),
          e);
    } catch (IOException e) {
      throw new StartException(
          "%s cannot be used: %s; name another directory with --data".formatted(data, e), e);
    }
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    }
  }

  /** Starts it on the usual ports or, where those are taken, on the next free ones. */
  void start() throws StartException {
    for (int attempt = 1; running.isEmpty(); attempt++) {
      smtpPort = freePort(SMTP_PORT);
      httpPort = freePort(HTTP_PORT);
      try {
        running = Optional.of(Node.start(config()));
      } catch (StartException e) {
        if (attempt == STARTS || !isPortTaken(e)) {
          throw e;
        }
      }
    }
    try {
      writeConfig(smtpPort, httpPort);
    } catch (IOException e) {
      throw new StartException("cannot write " + configFile() + ": " + e, e);
    }
    tell("SMTP", SMTP_PORT, smtpPort);
    tell("HTTP", HTTP_PORT, httpPort);
  }

  /** Starts it after {@link #stop} as it was before. */
  void startAgain() throws StartException {
    running = Optional.of(Node.start(config()));
  }

  private void tell(String what, int usual, int taken) {
    if (usual == taken) {
      out.println("  " + what + " on 127.0.0.1:" + taken);
    } else {
      out.println("  %s on 127.0.0.1:%d (another program has %d)".formatted(what, taken, usual));
    }
  }

  private static boolean isPortTaken(StartException e) {
    return e.getCause() instanceof ListenException
        || String.valueOf(e.getMessage()).startsWith("observe.listen");
  }

  private static int freePort(int first) throws StartException {
    for (int port = first; port < first + PORTS; port++) {
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
        return port;
      } catch (IOException e) {
        // The next one then.
      }
    }
    throw new StartException(
        "no free port from %d to %d on 127.0.0.1".formatted(first, first + PORTS - 1));
  }

  private String configText(int smtp, int http) {
    return MARK
        + """

        # A node with this file: ./postern start --config postern.toml. The server that the demonstration
        # runs for %s is not there then: mail for it waits.

        [node]
        hostname = "mx.%s"
        data = "."
        directory_cache = "1s"

        [edge]
        listen = ["127.0.0.1:%d"]
        max_message = "10 MiB"
        unlimited_sources = ["127.0.0.0/8"]

        [vault]
        reserve = "16 MiB"
        # Each store is to show all mail by itself, also on a machine that stalls for a while.
        store_wait = "30s"

        [delivery]
        first_retry = "2s"
        max_retry = "1m"

        [observe]
        listen = "127.0.0.1:%d"
        """
            .formatted(Samples.OFFICE_DOMAIN, Samples.DOMAIN, smtp, http);
  }

  private void writeConfig(int smtp, int http) throws IOException {
    Files.writeString(configFile(), configText(smtp, http));
  }

  PosternConfig config() {
    return ConfigLoader.fromText(configText(smtpPort, httpPort), data);
  }

  /**
   * Sets the customer up, or brings an earlier one up to date: one domain goes into Maildirs, the
   * other to the customer's own server.
   */
  void setUp(NextHop server) throws TenantException {
    Tenants tenants = node().tenants();
    if (tenants.findCustomer(CUSTOMER).isEmpty()) {
      tenants.addCustomer(CUSTOMER);
    }
    Customer customer = tenants.findCustomer(CUSTOMER).orElseThrow();
    tenants.setPolicy(customer, 4, 6, 15, "[spam]");
    for (String domain : List.of(Samples.DOMAIN, Samples.OFFICE_DOMAIN)) {
      if (tenants.domains().stream().noneMatch(each -> each.name().equals(domain))) {
        tenants.addDomain(customer, domain, false);
      }
    }
    for (EmailAddress user : List.of(Samples.ALICE, Samples.BOB, Samples.CAROL)) {
      if (!tenants.users(user.domain()).contains(user.key())) {
        tenants.addUser(user);
      }
    }
    tenants.routeToMaildir(Samples.DOMAIN, maildirs());
    tenants.routeToServers(Samples.OFFICE_DOMAIN, List.of(server.address()), Route.Tls.OFF);
  }

  /**
   * The node that runs.
   *
   * @throws IllegalStateException when none does
   */
  Node node() {
    return running.orElseThrow(() -> new IllegalStateException("the node does not run"));
  }

  MessageQueries messages() {
    return new MessageQueries(node().database());
  }

  InetSocketAddress smtp() {
    return node().smtpPorts().getFirst();
  }

  int httpPort() {
    return httpPort;
  }

  Path data() {
    return data;
  }

  Path configFile() {
    return data.resolve("postern.toml");
  }

  /** The directory of the Maildirs. */
  Path maildirs() {
    return data.resolve("mail");
  }

  /** Stops the node; nothing happens when none runs. */
  void stop() {
    running.ifPresent(Node::close);
    running = Optional.empty();
  }

  @Override
  public void close() {
    stop();
  }
}
