package net.postern.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import net.postern.config.HostPort;
import net.postern.ledger.Balance;
import net.postern.node.StartException;
import net.postern.node.Workbench;
import net.postern.tenant.Customer;
import net.postern.tenant.Route;
import net.postern.tenant.TenantException;

/** A node that relays to a sink. */
final class PosternRelay implements Relay {
  private static final String CUSTOMER = "Bench";

  private final PosternNode node;
  private final int port;

  private PosternRelay(PosternNode node, int port) {
    this.node = node;
    this.port = port;
  }

  static PosternRelay start(Path directory, int sink) throws BenchException {
    int port = Ports.free();
    PosternNode node =
        PosternNode.start(
            directory,
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
    PosternRelay relay = new PosternRelay(node, port);
    try {
      relay.prepare(sink);
      return relay;
    } catch (BenchException e) {
      relay.close();
      throw e;
    }
  }

  private void prepare(int sink) throws BenchException {
    try (Workbench bench = Workbench.open(node.config())) {
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
    try (Workbench bench = Workbench.open(node.config())) {
      return Balance.all(bench.database()).getFirst();
    } catch (StartException e) {
      throw new BenchException("cannot read the balance: " + e.getMessage(), e);
    }
  }

  /** Frames in each store, in order. */
  List<Long> frames() throws BenchException {
    try {
      return net.postern.node.StoreCensus.frames(node.config());
    } catch (StartException | IOException e) {
      throw new BenchException("cannot count the stores' frames: " + e.getMessage(), e);
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
    node.close();
  }
}
