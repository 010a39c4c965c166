package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.node.StartException;
import net.postern.node.Workbench;
import net.postern.tenant.Customer;
import net.postern.tenant.TenantException;

/** A node with all checks, as they are by default, and with block lists. */
final class PosternEdge implements Edge {
  private static final String CUSTOMER = "Bench";

  private final PosternNode node;
  private final int port;

  private PosternEdge(PosternNode node, int port) {
    this.node = node;
    this.port = port;
  }

  static PosternEdge start(Path directory, String nameServer) throws BenchException {
    int port = Ports.free();
    Path table = directory.resolve("zones.txt");
    try {
      Files.writeString(table, EdgeWorld.table());
    } catch (IOException e) {
      throw new BenchException("cannot write the table of lists", e);
    }
    PosternEdge edge =
        new PosternEdge(PosternNode.start(directory, configuration(port, table, nameServer)), port);
    try {
      edge.prepare();
      return edge;
    } catch (BenchException e) {
      edge.close();
      throw e;
    }
  }

  private static String configuration(int port, Path table, String nameServer) {
    String zones =
        Stream.concat(EdgeWorld.ADDRESS_LISTS.stream(), EdgeWorld.DOMAIN_LISTS.stream())
            .map(zone -> "\"" + zone + "\"")
            .collect(Collectors.joining(", "));
    return """
    [node]
    hostname = "%1$s"
    data = "data"
    [edge]
    listen = ["127.0.0.1:%2$d"]
    proxy_networks = ["127.0.0.0/8"]
    greet_pause = "%3$ds"
    [dns]
    servers = ["%4$s"]
    [dnsbl]
    zones = [%5$s]
    table = "%6$s"
    threshold = %7$d
    [observe]
    listen = "127.0.0.1:0"
    """
        .formatted(
            EdgeWorld.HOST,
            port,
            EdgeWorld.GREET_SECONDS,
            nameServer,
            zones,
            table,
            EdgeWorld.THRESHOLD);
  }

  private void prepare() throws BenchException {
    try (Workbench bench = Workbench.open(node.config())) {
      bench.tenants().addCustomer(CUSTOMER);
      Optional<Customer> customer = bench.tenants().findCustomer(CUSTOMER);
      bench.tenants().addDomain(customer.orElseThrow(), EdgeWorld.DOMAIN, false);
      for (int n = 0; n < EdgeWorld.USERS; n++) {
        bench.tenants().addUser(EmailAddress.parse(EdgeWorld.user(n)).orElseThrow());
      }
    } catch (StartException | TenantException e) {
      throw new BenchException("cannot prepare the node: " + e.getMessage(), e);
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
  public long pid() {
    return node.pid();
  }

  @Override
  public void close() {
    node.close();
  }
}
