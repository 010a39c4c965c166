package net.postern.intake;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.address.EmailAddress;
import net.postern.config.ByteSize;
import net.postern.config.DeliveryConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.filter.Finding;
import net.postern.filter.MailView;
import net.postern.filter.Pipeline;
import net.postern.filter.Rule;
import net.postern.filter.Stage;
import net.postern.filter.StageResult;
import net.postern.ledger.Balance;
import net.postern.ledger.Dispatcher;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.Ledger;
import net.postern.ledger.LedgerRebuild;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.SegmentTable;
import net.postern.tenant.Customer;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Route;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import net.postern.vault.VaultWorld;

/**
 * A real vault on faulty stores, a real ledger, two customers, and a filter that obeys the text.
 */
final class IntakeWorld implements AutoCloseable {
  final VaultWorld stores;
  final Database database = TestDatabase.open();
  final UUID node = UUID.randomUUID();
  final Room room = new Room();
  final DatabaseDirectory directory =
      new DatabaseDirectory(database, Duration.ZERO, new Route.Mx(Route.Tls.OFF));
  final MessageQueries queries = new MessageQueries(database);
  Ledger ledger = new Ledger(database, node, Duration.ofMinutes(15));

  /** Delivery's room: counts what is reserved and given back, and keeps what is dispatched. */
  static final class Room implements Dispatcher {
    final AtomicInteger deliveries = new AtomicInteger();
    final AtomicLong bytes = new AtomicLong();
    final List<LeasedDelivery> dispatched = new ArrayList<>();
    volatile boolean full;

    @Override
    public boolean reserve(int count, long size) {
      if (full) {
        return false;
      }
      deliveries.addAndGet(count);
      bytes.addAndGet(size);
      return true;
    }

    @Override
    public synchronized void dispatch(List<LeasedDelivery> hot) {
      dispatched.addAll(hot);
      deliveries.addAndGet(-hot.size());
      if (!hot.isEmpty()) {
        bytes.addAndGet(-hot.getFirst().bytes());
      }
    }

    @Override
    public void cancel(int count, long size) {
      deliveries.addAndGet(-count);
      bytes.addAndGet(-size);
    }

    synchronized int dispatchedCount() {
      return dispatched.size();
    }
  }

  /** "score 7" in a message makes it 7; "scanner away" makes the stage unavailable. */
  private static final class Obedient implements Stage {
    @Override
    public String name() {
      return "obedient";
    }

    @Override
    public List<Rule> rules() {
      return List.of();
    }

    @Override
    public StageResult run(MailView mail) {
      String text = new String(mail.sample().content(), StandardCharsets.ISO_8859_1);
      if (text.contains("scanner away")) {
        return new StageResult.Unavailable("as ordered");
      }
      int at = text.indexOf("score ");
      if (at < 0) {
        return new StageResult.Findings(List.of());
      }
      double score = Double.parseDouble(text.substring(at + 6).split("\\s")[0]);
      return new StageResult.Findings(List.of(new Finding("ORDERED", score, "")));
    }
  }

  IntakeWorld(Path directory) throws Exception {
    stores = new VaultWorld(directory);
    Tenants tenants = new Tenants(database, stores.keys());
    customer(tenants, "Mild Ltd", "mild.example", 4, 100, 200);
    customer(tenants, "Strict Ltd", "strict.example", 2, 4, 6);
  }

  private static void customer(
      Tenants tenants, String name, String domain, double flag, double hold, double refuse)
      throws TenantException {
    tenants.addCustomer(name);
    Customer customer = tenants.findCustomer(name).orElseThrow();
    tenants.setPolicy(customer, flag, hold, refuse, "[spam]");
    tenants.addDomain(tenants.findCustomer(name).orElseThrow(), domain, false);
    for (String user : List.of("ann", "bob")) {
      tenants.addUser(EmailAddress.parse(user + "@" + domain).orElseThrow());
    }
  }

  MessageIntake intake() {
    return new MessageIntake(
        "mx.test.example",
        new DeliveryConfig(
            1,
            1,
            Duration.ofSeconds(1),
            1,
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofDays(5),
            Optional.empty(),
            List.of(),
            Duration.ofMinutes(15),
            new ByteSize(1 << 20)),
        Pipeline.of(List.of(new Obedient())),
        directory,
        stores.vault(),
        ledger,
        room,
        stores.events::add,
        Clock.systemUTC());
  }

  Reconciler reconciler() {
    return new Reconciler(
        stores.vault(), ledger, new SegmentTable(database), new LedgerRebuild(database));
  }

  Recipient recipient(String address) {
    return directory.lookup(EmailAddress.parse(address).orElseThrow())
            instanceof RecipientLookup.Found found
        ? found.recipient()
        : unknown(address);
  }

  private static Recipient unknown(String address) {
    throw new AssertionError("no recipient " + address);
  }

  Envelope envelope(String helo, String... recipients) {
    List<Recipient> found = new ArrayList<>();
    for (String each : recipients) {
      found.add(recipient(each));
    }
    try {
      return new Envelope(
          InetAddress.getByName("192.0.2.7"),
          "",
          helo,
          "ESMTP",
          "",
          EmailAddress.parse("sender@example.net"),
          found,
          false,
          List.of(),
          Instant.now());
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  IntakeResult send(String text, String... recipients) throws InterruptedException {
    return intake()
        .accept(
            envelope("client.example", recipients),
            ("Subject: test\r\n\r\n" + text + "\r\n").getBytes(StandardCharsets.US_ASCII));
  }

  long difference() {
    return Balance.all(database).stream().mapToLong(Balance::difference).sum();
  }

  long accepted() {
    return Balance.all(database).stream().mapToLong(Balance::accepted).sum();
  }

  /** Everything in memory is gone, as after kill -9 of a node; what was committed stays. */
  void restart() {
    ledger.close();
    stores.restart();
    ledger = new Ledger(database, node, Duration.ofMinutes(15));
  }

  @Override
  public void close() {
    ledger.close();
    stores.close();
    database.close();
  }
}
