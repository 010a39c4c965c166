package net.postern.tenant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.nio.file.Path;
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
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
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

  private static final RecipientLookup AWAY =
      new RecipientLookup.Unavailable("the database is away");

  private static final int REPORTED = 10_000;
  private static final Duration REPORT_AGAIN = Duration.ofDays(1);

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
  private final AddressValidator validator;
  private final Events events;
  private final Cache<String, Cached<Listing>> listings =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  // By members, of which each takes some hundred bytes.
  private final Cache<String, Cached<RecipientLookup>> groups =
      Caffeine.newBuilder()
          .maximumWeight(CACHED)
          .weigher((String key, Cached<RecipientLookup> group) -> weight(group.value()))
          .expireAfterWrite(STALE_LIMIT)
          .build();
  private final Cache<String, String> reported =
      Caffeine.newBuilder().maximumSize(REPORTED).expireAfterWrite(REPORT_AGAIN).build();
  private final Cache<String, Cached<Optional<Route>>> routes =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  private final Cache<CustomerId, Cached<Optional<Customer>>> customers =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  private final Cache<String, Cached<List<Registered>>> servers =
      Caffeine.newBuilder().maximumSize(1).expireAfterWrite(STALE_LIMIT).build();

  /** Without anybody who asks customers' servers, and without telling of trouble. */
  public DatabaseDirectory(Database database, Duration fresh, Route outbound) {
    this(database, fresh, outbound, AddressValidator.NONE, event -> {});
  }

  /**
   * @param fresh how long an answer is used without asking again
   * @param outbound the way to other people's domains
   * @param validator for domains with {@link Validation#CALLOUT}
   * @param events hears of groups with members that do not exist
   */
  public DatabaseDirectory(
      Database database,
      Duration fresh,
      Route outbound,
      AddressValidator validator,
      Events events) {
    this.validator = validator;
    this.events = events;
    this.database = database;
    this.freshNanos = fresh.toNanos();
    this.outbound = outbound;
  }

  @Override
  public RecipientLookup lookup(EmailAddress address) {
    return lookup(address, Asking.ALLOWED);
  }

  @Override
  public RecipientLookup lookup(EmailAddress address, Asking asking) {
    try {
      Answer<Listing> answer = listing(address);
      return switch (answer.value()) {
        case Listing.Known(RecipientLookup lookup) -> known(lookup, address, answer.stale());
        case Listing.OfGroup group -> cached(groups, group.group(), () -> expand(group));
        case Listing.Unlisted unlisted ->
            validator.validate(question(unlisted, address), asking, this);
      };
    } catch (Away e) {
      LOG.warn("the directory cannot look up {}: {}", address, e.toString());
      return AWAY;
    }
  }

  private Answer<Listing> listing(EmailAddress address) {
    return ask(listings, address.key(), () -> ListingQuery.load(database, address));
  }

  private static RecipientLookup known(RecipientLookup known, EmailAddress address, boolean stale) {
    if (known instanceof RecipientLookup.Found(Recipient recipient, String listed)) {
      // The cache is by key; the reply and the delivery keep the spelling of this client.
      return new RecipientLookup.Found(
          new Recipient(address, recipient.customer(), recipient.mailbox()), listed);
    }
    // An old yes is safe to repeat; an old no may since have become a yes, and a 5xx is for good.
    return stale ? AWAY : known;
  }

  private static AddressValidator.Unlisted question(
      Listing.Unlisted unlisted, EmailAddress address) {
    String local = unlisted.base().substring(0, unlisted.base().lastIndexOf('@'));
    return new AddressValidator.Unlisted(
        address,
        new EmailAddress(local, address.domain()),
        unlisted.customer(),
        unlisted.mailbox(),
        unlisted.shared(),
        unlisted.acceptUnknown());
  }

  private RecipientLookup expand(Listing.OfGroup group) {
    GroupExpansion.Expanded expanded =
        new GroupExpansion(database, this::withoutAsking).expand(group);
    String trouble = expanded.trouble();
    expanded.elsewhere().forEach(each -> report(group, each));
    if (expanded.unavailable().isPresent()) {
      return new RecipientLookup.Unavailable(expanded.unavailable().get());
    }
    if (expanded.members().isEmpty()) {
      trouble = trouble.isEmpty() ? "it has no members" : trouble;
      report(group, trouble);
      return new RecipientLookup.Unavailable("nobody gets the mail of a group: " + trouble);
    }
    report(group, trouble);
    return new RecipientLookup.Group(group.customer(), expanded.members(), group.group());
  }

  // Someone entered a member by hand or in the customer's directory: where only the customer's
  // server knows, that stands until the server refuses the delivery.
  private RecipientLookup withoutAsking(EmailAddress member) {
    return switch (listing(member).value()) {
      case Listing.Known(RecipientLookup lookup) -> lookup;
      case Listing.OfGroup group -> new RecipientLookup.UnknownUser(group.customer());
      case Listing.Unlisted unlisted ->
          unlisted
              .mailbox()
              .or(unlisted::shared)
              .<RecipientLookup>map(
                  mailbox ->
                      new RecipientLookup.Found(
                          new Recipient(member, unlisted.customer(), mailbox)))
              .orElseGet(() -> new RecipientLookup.UnknownUser(unlisted.customer()));
    };
  }

  // Said once, and again after a day: the members are looked up with every few messages.
  private void report(Listing.OfGroup group, String trouble) {
    String before = reported.get(group.group(), key -> "");
    if (!trouble.equals(before)) {
      reported.put(group.group(), trouble);
      events.emit(
          new MailEvent.DirectoryNotice(
              MailEvent.DirectoryMatter.GROUP,
              group.customer(),
              group.group(),
              trouble.isEmpty(),
              trouble));
    }
  }

  // By the group that led there: what its members hide of it is not what is seen from elsewhere,
  // and for the same reason it is never said to be well from here.
  private void report(Listing.OfGroup around, GroupExpansion.Elsewhere trouble) {
    String key = trouble.group() + " in " + around.group();
    if (!trouble.said().equals(reported.getIfPresent(key))) {
      reported.put(key, trouble.said());
      events.emit(
          new MailEvent.DirectoryNotice(
              MailEvent.DirectoryMatter.GROUP,
              trouble.customer(),
              trouble.group(),
              false,
              trouble.said()));
    }
  }

  @Override
  public Lookup<Optional<CustomerId>> registeredServer(InetAddress client) {
    try {
      for (Registered each : cached(servers, "all", this::loadServers)) {
        if (each.network().contains(client)) {
          return Lookup.of(Optional.of(each.customer()));
        }
      }
      return Lookup.of(Optional.empty());
    } catch (Away e) {
      LOG.warn("the directory cannot look up servers: {}", e.toString());
      return new Lookup.Unavailable<>("the database is away");
    }
  }

  @Override
  public Route routeFor(CustomerId customer, EmailAddress recipient) {
    try {
      String domain = recipient.domain();
      Optional<Route> route = cached(routes, domain, () -> loadRoute(domain));
      if (route.isPresent()) {
        return route.get();
      }
      if (listing(recipient).value() instanceof Listing.Known(RecipientLookup.NotOurs _)) {
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

  private static int weight(RecipientLookup group) {
    return group instanceof RecipientLookup.Group(CustomerId _, List<Recipient> members, String _)
        ? members.size()
        : 1;
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
