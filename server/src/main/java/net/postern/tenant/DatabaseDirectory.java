package net.postern.tenant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import net.postern.address.EmailAddress;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Directory, routing and customers' settings from the database, through a bounded cache. An answer
 * is fresh for {@code node.directory_cache}; while the database is away an older one is used for up
 * to an hour, so that known recipients' mail still flows; what was never asked before is then
 * "unavailable".
 */
public final class DatabaseDirectory implements Directory, Routing {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseDirectory.class);
  private static final int CACHED = 200_000;
  private static final Duration STALE_LIMIT = Duration.ofHours(1);

  /** Separates the user from a detail of the user's own choosing (RFC 5233). */
  private static final char SUBADDRESS = '+';

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  private record Cached<T>(T value, long loadedNanos) {}

  private record Answer<T>(T value, boolean stale) {}

  private static final class Away extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Away(Throwable cause) {
      super("the database is away", cause);
    }

    Away() {
      super("the database is away");
    }
  }

  private record Registered(Network network, CustomerId customer) {}

  private final Database database;
  private volatile long awayUntil = System.nanoTime();
  private final long freshNanos;
  private final Route outbound;
  private final Cache<String, Cached<RecipientLookup>> recipients =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  private final Cache<String, Cached<Optional<Route>>> routes =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  private final Cache<CustomerId, Cached<Optional<Customer>>> customers =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  private final Cache<String, Cached<List<Registered>>> servers =
      Caffeine.newBuilder().maximumSize(1).expireAfterWrite(STALE_LIMIT).build();

  /**
   * @param fresh how long an answer is used without asking again
   * @param outbound the way to other people's domains
   */
  public DatabaseDirectory(Database database, Duration fresh, Route outbound) {
    this.database = database;
    this.freshNanos = fresh.toNanos();
    this.outbound = outbound;
  }

  @Override
  public RecipientLookup lookup(EmailAddress address) {
    try {
      Answer<RecipientLookup> answer = ask(recipients, address.key(), () -> load(address));
      RecipientLookup known = answer.value();
      if (known instanceof RecipientLookup.Found(Recipient recipient)) {
        // The cache is by key; the reply and the delivery keep the spelling of this client.
        return new RecipientLookup.Found(
            new Recipient(address, recipient.customer(), recipient.mailbox()));
      }
      // An old yes is safe to repeat; an old no may since have become a yes, and a 5xx is for good.
      return answer.stale() ? new RecipientLookup.Unavailable("the database is away") : known;
    } catch (Away e) {
      LOG.warn("the directory cannot look up {}: {}", address, e.toString());
      return new RecipientLookup.Unavailable("the database is away");
    }
  }

  @Override
  public Optional<CustomerId> registeredServer(InetAddress client) {
    try {
      for (Registered each : cached(servers, "all", this::loadServers)) {
        if (each.network().contains(client)) {
          return Optional.of(each.customer());
        }
      }
    } catch (Away e) {
      LOG.warn("the directory cannot look up servers: {}", e.toString());
    }
    return Optional.empty();
  }

  @Override
  public Route routeFor(CustomerId customer, EmailAddress recipient) {
    try {
      String domain = recipient.domain();
      Optional<Route> route = cached(routes, domain, () -> loadRoute(domain));
      if (route.isPresent()) {
        return route.get();
      }
      if (lookup(recipient) instanceof RecipientLookup.NotOurs) {
        return outbound;
      }
      throw new IllegalStateException(
          "domain %s has no route: set one with 'admin route set'".formatted(domain));
    } catch (Away e) {
      throw new IllegalStateException("the directory is unavailable: the database is away", e);
    }
  }

  /**
   * A customer's settings.
   *
   * @throws IllegalStateException when they cannot be had now, or the customer is gone
   */
  public Customer customer(CustomerId id) {
    try {
      return cached(customers, id, () -> loadCustomer(id))
          .orElseThrow(() -> new IllegalStateException("no customer " + id));
    } catch (Away e) {
      throw new IllegalStateException("the directory is unavailable: the database is away", e);
    }
  }

  private <K, T> T cached(Cache<K, Cached<T>> cache, K key, Supplier<T> load) {
    return ask(cache, key, load).value();
  }

  private <K, T> Answer<T> ask(Cache<K, Cached<T>> cache, K key, Supplier<T> load) {
    Cached<T> old = cache.getIfPresent(key);
    long now = System.nanoTime();
    if (old != null && now - old.loadedNanos() < freshNanos) {
      return new Answer<>(old.value(), false);
    }
    if (now - awayUntil < 0) {
      if (old != null) {
        return new Answer<>(old.value(), true);
      }
      throw new Away();
    }
    try {
      T fresh = load.get();
      cache.put(key, new Cached<>(fresh, now));
      return new Answer<>(fresh, false);
    } catch (JdbiException e) {
      awayUntil = System.nanoTime() + RETRY_NANOS;
      if (old != null) {
        return new Answer<>(old.value(), true);
      }
      throw new Away(e);
    }
  }

  private RecipientLookup load(EmailAddress address) {
    String local = address.localPart().toLowerCase(Locale.ROOT);
    int plus = local.indexOf(SUBADDRESS);
    String base = plus > 0 ? local.substring(0, plus) : local;
    return database
        .row(
            """
            select d.customer_id, d.catch_all_mailbox,
              (select mailbox_id from address where address = ?) exact,
              (select mailbox_id from address where address = ?) base
            from domain d where d.name = ?""",
            row -> found(row, address),
            local + "@" + address.domain(),
            base + "@" + address.domain(),
            address.domain())
        .orElseGet(RecipientLookup.NotOurs::new);
  }

  private static RecipientLookup found(ResultSet row, EmailAddress address) throws SQLException {
    CustomerId customer = new CustomerId(row.getObject("customer_id", UUID.class));
    for (String column : List.of("exact", "base", "catch_all_mailbox")) {
      UUID mailbox = row.getObject(column, UUID.class);
      if (mailbox != null) {
        return new RecipientLookup.Found(new Recipient(address, customer, new MailboxId(mailbox)));
      }
    }
    return new RecipientLookup.UnknownUser(customer);
  }

  private Optional<Route> loadRoute(String domain) {
    return database.row(
        "select kind, targets, tls from route where domain = ?",
        row ->
            route(
                row.getString("kind"),
                (String[]) row.getArray("targets").getArray(),
                row.getString("tls")),
        domain);
  }

  static Route route(String kind, String[] targets, String tls) {
    return switch (kind) {
      case "maildir" -> new Route.Maildir(Path.of(targets[0]));
      case "smtp" -> {
        List<Route.Target> servers = new ArrayList<>();
        for (String target : targets) {
          HostPort server =
              HostPort.parse(target)
                  .orElseThrow(
                      () -> new IllegalStateException("no host:port in a route: " + target));
          servers.add(new Route.Target(server.host(), server.port()));
        }
        yield new Route.Smtp(servers, Route.Tls.valueOf(tls.toUpperCase(Locale.ROOT)));
      }
      default -> throw new IllegalStateException("unknown kind of route: " + kind);
    };
  }

  private Optional<Customer> loadCustomer(CustomerId id) {
    return database.row(Customer.SELECT + " where id = ?", Customer::of, id.value());
  }

  private List<Registered> loadServers() {
    return database.rows(
        "select customer_id, network::text network from registered_server",
        row ->
            new Registered(
                Network.parse(row.getString("network")).orElseThrow(),
                new CustomerId(row.getObject("customer_id", UUID.class))));
  }
}
