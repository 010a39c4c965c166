package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.config.ConfigLoader;
import net.postern.config.HostPort;
import net.postern.config.PosternConfig;
import net.postern.ledger.Balance;
import net.postern.node.StartException;
import net.postern.node.Workbench;
import net.postern.tenant.Customer;
import net.postern.tenant.Route;
import net.postern.tenant.TenantException;

/** A node of this program as an operator would run it, in a process of its own. */
final class PosternRelay implements Relay {
  private static final String CUSTOMER = "Bench";

  private final Child child;
  private final Path configFile;
  private final int port;

  private PosternRelay(Child child, Path configFile, int port) {
    this.child = child;
    this.configFile = configFile;
    this.port = port;
  }

  static PosternRelay start(Path directory, int sink) throws BenchException {
    int port = Ports.free();
    Path home = directory.resolve("postern");
    Path file = home.resolve("postern.toml");
    try {
      Files.createDirectories(home);
      Files.writeString(
          file,
          """
          [node]
          hostname = "mx.example.net"
          data = "data"
          [edge]
          listen = ["127.0.0.1:%d"]
          unlimited_sources = ["127.0.0.0/8"]
          [observe]
          listen = "127.0.0.1:0"
          """
              .formatted(port));
    } catch (IOException e) {
      throw new BenchException("cannot write the configuration", e);
    }
    Child child = Child.start(directory.resolve("postern.txt"), command(file));
    PosternRelay relay = new PosternRelay(child, file, port);
    try {
      if (!Child.await(
          Duration.ofSeconds(90), () -> !child.alive() || relay.printed("postern: ready;"))) {
        throw new BenchException("the node is not ready: " + child.text());
      }
      if (!child.alive()) {
        throw new BenchException("the node ended: " + child.text());
      }
      relay.prepare(sink);
      return relay;
    } catch (BenchException e) {
      relay.close();
      throw e;
    }
  }

  // The same options as the postern script gives a node.
  private static List<String> command(Path config) throws BenchException {
    String java =
        ProcessHandle.current()
            .info()
            .command()
            .orElseThrow(() -> new BenchException("which java?"));
    List<String> command =
        new ArrayList<>(
            List.of(
                java,
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:MaxRAMPercentage=50",
                "-XX:+UseCompactObjectHeaders",
                "-XX:+ExitOnOutOfMemoryError"));
    String options = System.getenv().getOrDefault("POSTERN_JAVA_OPTS", "");
    for (String option : options.split(" ")) {
      if (!option.isBlank()) {
        command.add(option);
      }
    }
    command.addAll(List.of("-jar", jar(), "start", "--config", config.toString()));
    return command;
  }

  private static String jar() throws BenchException {
    Path jar = Path.of(System.getProperty("postern.home", "."), "server/target/postern.jar");
    if (!Files.exists(jar)) {
      throw new BenchException(jar + " is missing: run this by the postern script");
    }
    return jar.toString();
  }

  private void prepare(int sink) throws BenchException {
    try (Workbench bench = Workbench.open(config())) {
      bench.tenants().addCustomer(CUSTOMER);
      Optional<Customer> customer = bench.tenants().findCustomer(CUSTOMER);
      bench.tenants().addDomain(customer.orElseThrow(), DOMAIN, true);
      bench
          .tenants()
          .routeToServers(
              DOMAIN, List.of(new HostPort("127.0.0.1", sink)), Route.Tls.OPPORTUNISTIC);
    } catch (StartException | TenantException e) {
      throw new BenchException("cannot prepare the node: " + e.getMessage(), e);
    }
  }

  /** What the ledger says of all messages; also whether the account is balanced. */
  Balance balance() throws BenchException {
    try (Workbench bench = Workbench.open(config())) {
      return Balance.all(bench.database()).getFirst();
    } catch (StartException e) {
      throw new BenchException("cannot read the balance: " + e.getMessage(), e);
    }
  }

  /** Frames in each store, in order. */
  List<Long> frames() throws BenchException {
    try {
      return net.postern.node.StoreCensus.frames(config());
    } catch (StartException | IOException e) {
      throw new BenchException("cannot count the stores' frames: " + e.getMessage(), e);
    }
  }

  long pid() {
    return child.pid();
  }

  private PosternConfig config() {
    return ConfigLoader.load(configFile);
  }

  private boolean printed(String text) {
    try {
      return child.text().contains(text);
    } catch (BenchException e) {
      return false;
    }
  }

  @Override
  public String name() {
    return "Postern";
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public void close() {
    child.close();
  }
}
