package net.postern.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import net.postern.address.EmailAddress;
import net.postern.batch.PeriodicJob;
import net.postern.callout.Callouts;
import net.postern.config.DeliveryConfig;
import net.postern.config.DnsConfig;
import net.postern.config.NodeConfig;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.DatabaseException;
import net.postern.delivery.DeliveryEngine;
import net.postern.dns.DnsSettings;
import net.postern.dns.DnsjavaResolver;
import net.postern.edge.CertificateWatch;
import net.postern.edge.EdgeServer;
import net.postern.edge.ListenException;
import net.postern.edge.TlsException;
import net.postern.events.Events;
import net.postern.filter.Pipeline;
import net.postern.intake.MessageIntake;
import net.postern.intake.Reconciler;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyUpkeep;
import net.postern.ldap.LdapSync;
import net.postern.ledger.ErasedMail;
import net.postern.ledger.Journal;
import net.postern.ledger.JournalMerge;
import net.postern.ledger.Ledger;
import net.postern.ledger.LedgerRebuild;
import net.postern.ledger.LedgerUnavailableException;
import net.postern.ledger.LiveNodes;
import net.postern.ledger.RefusalTrace;
import net.postern.ledger.SegmentRetention;
import net.postern.ledger.SegmentTable;
import net.postern.observe.Fanout;
import net.postern.observe.Health;
import net.postern.observe.Logging;
import net.postern.observe.MailLog;
import net.postern.observe.MailMetrics;
import net.postern.observe.ObserveServer;
import net.postern.source.Sources;
import net.postern.submission.Authenticator;
import net.postern.submission.GuessThrottle;
import net.postern.submission.Outbound;
import net.postern.submission.SendLimits;
import net.postern.tenant.DatabaseAccounts;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.DatabaseKeyShelf;
import net.postern.tenant.DirectorySources;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.Erasures;
import net.postern.tenant.LegalHolds;
import net.postern.tenant.Route;
import net.postern.tenant.Settings;
import net.postern.tenant.Tenants;
import net.postern.vault.Compactor;
import net.postern.vault.Scrubber;
import net.postern.vault.SegmentNames;
import net.postern.vault.SegmentVault;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running node. The constructor is the list of parts in the order in which they start; {@link
 * #close} stops them in the opposite order, so that nothing is used after it stopped.
 */
public final class Node implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  /** The part of the drain that deliveries have left, whatever sessions do: one in so many. */
  private static final int DELIVERY_SHARE = 4;

  /** What was delivered since is delivered again when everything but a store is lost. */
  private static final Duration JOURNAL_INTERVAL = Duration.ofSeconds(5);

  /** What nodes tell each other of wrong passwords and of mail that is sent. */
  private static final Duration EXCHANGE_INTERVAL = Duration.ofSeconds(1);

  /** What the key is for that hides who asked for which recipient. */
  private static final String ASKED_RECIPIENTS = "recipients that were asked for";

  /** What the key is for that salts of unknown users are made with. */
  private static final String LOGINS = "salts of unknown users";

  private static final Duration BEAT_INTERVAL = Duration.ofSeconds(10);
  private static final Duration SETTINGS_INTERVAL = Duration.ofSeconds(2);
  private static final Duration CALLOUT_INTERVAL = Duration.ofSeconds(30);
  private static final Duration LDAP_INTERVAL = Duration.ofSeconds(10);

  /** A source that one node blocks is blocked on all within a few of these. */
  private static final Duration SOURCES_INTERVAL = Duration.ofSeconds(1);

  private static final Duration MERGE_INTERVAL = Duration.ofMinutes(10);
  private static final Duration PRUNE_INTERVAL = Duration.ofMinutes(10);

  private final PosternConfig config;
  private final DataDirectory data;
  private final Stores stores;
  private final Database database;
  private final RefusalTrace refusals;
  private final MailMetrics metrics;
  private final Sources sources;
  private final LiveNodes nodes;
  private final SegmentVault vault;
  private final Scrubber scrubber;
  private final Ledger ledger;
  private final Settings settings;
  private final Journal journal;
  private final List<PeriodicJob> jobs;
  private final Reconciler reconciler;
  private final Compactor compactor;
  private final KeyUpkeep keyUpkeep;
  private final DnsjavaResolver dns;
  private final Callouts callouts;
  private final LdapSync ldap;
  private final DeliveryEngine delivery;
  private final EdgeParts edgeParts;
  private final EdgeServer edge;
  private final Optional<ObserveServer> observe;
  private final Tenants tenants;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Starts a node; it takes mail when this returns.
   *
   * @throws StartException when it cannot run; nothing is left running then
   */
  public static Node start(PosternConfig config) throws StartException {
    try (Rollback rollback = new Rollback()) {
      Node node = new Node(config, rollback);
      rollback.disarm();
      return node;
    } catch (DatabaseException
        | LedgerUnavailableException
        | IOException
        | UncheckedIOException
        | ListenException
        | TlsException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while starting", e);
    }
  }

  private Node(PosternConfig config, Rollback rollback)
      throws StartException,
          DatabaseException,
          LedgerUnavailableException,
          IOException,
          InterruptedException {
    this.config = config;
    Clock clock = Clock.systemUTC();
    String hostname = config.node().hostname();

    data = rollback.add(DataDirectory.claim(config.node().data()));
    stores = rollback.add(Stores.open(config.vault(), data.root()));
    database = rollback.add(Database.open(config.database(), data.root()));

    KeyRing keys = stores.keys(new DatabaseKeyShelf(database));
    settings = new Settings(database, stores.replicas(), keys, List.of());
    journal = new Journal(database, stores.replicas(), keys);
    Rebuild.requireWhole(database, settings, stores);
    stores.keepTidy();

    metrics = rollback.add(new MailMetrics());
    refusals =
        rollback.add(new RefusalTrace(database, config.observe().refusalsPerMinute(), clock));
    MailLog log = new MailLog(config.observe().logFormat());
    sources =
        rollback.add(
            new Sources(
                config.limits(),
                config.edge().unlimitedSources(),
                Aead.derive(keys.systemKey(), ASKED_RECIPIENTS).getEncoded(),
                database,
                new Fanout(List.of(log, metrics)),
                clock));
    Events events = new Fanout(List.of(log, metrics, refusals, sources));

    nameAddresses(keys);
    tenants = new Tenants(database, keys);
    dns = DnsjavaResolver.open(dnsSettings(config.dns()));
    callouts =
        rollback.add(
            new Callouts(
                config.callout(),
                config.node().directoryCache(),
                hostname,
                database,
                tenants,
                dns,
                events,
                clock));
    DatabaseDirectory directory =
        new DatabaseDirectory(
            database,
            config.node().directoryCache(),
            outbound(config.delivery()),
            callouts,
            events);
    Erasures erasures = new Erasures(database, keys, clock, PersonParts.ALL);
    SegmentRetention retention =
        new SegmentRetention(
            database,
            new LegalHolds(database, clock),
            erasures::erasedMailboxes,
            config.vault().keepFinished());
    nodes = new LiveNodes(database, data.node(), retention);
    var _ = nodes.beat();
    rollback.add(nodes::leave);
    vault =
        rollback.add(
            new SegmentVault(
                config.vault(),
                stores.list(),
                keys,
                new SegmentNames(data.node()),
                nodes,
                events,
                clock));
    ledger = rollback.add(new Ledger(database, data.node(), config.delivery().lease()));
    int recovered = ledger.recoverLeases();
    if (recovered > 0) {
      LOG.info("{} deliveries were under way when this node stopped; they are due now", recovered);
    }
    reconciler =
        new Reconciler(vault, ledger, new SegmentTable(database), new LedgerRebuild(database));
    Reconciler.Report found = reconciler.start();

    delivery =
        new DeliveryEngine(
            config.delivery(),
            hostname,
            DeliveryEngine.SMTP_PORT,
            new DeliveryEngine.Parts(ledger, vault, directory, dns, events, clock));
    rollback.add(() -> delivery.close(Duration.ZERO));
    delivery.start();

    MessageIntake intake =
        new MessageIntake(
            hostname,
            config.delivery(),
            Pipeline.standard(),
            directory,
            vault,
            ledger,
            delivery,
            events,
            clock);
    DatabaseAccounts accounts = new DatabaseAccounts(database, config.node().directoryCache());
    GuessThrottle throttle = new GuessThrottle(clock, database);
    SendLimits limits = new SendLimits(config.submission(), accounts, clock, Optional.of(database));
    Outbound sending =
        new Outbound(
            config.submission(),
            directory,
            accounts,
            new Authenticator(
                config.submission(),
                accounts,
                throttle,
                Aead.derive(keys.systemKey(), LOGINS).getEncoded()),
            limits);
    edgeParts =
        rollback.add(
            new EdgeParts(config, data.node(), database, directory, dns, sources, events, clock));
    CertificateWatch tls = new CertificateWatch(config.edge(), hostname, data.root(), clock);
    edge =
        rollback.add(
            new EdgeServer(
                config.edge(),
                hostname,
                postmaster(config.node()),
                directory,
                edgeParts.checks(),
                intake,
                events,
                clock,
                tls,
                Optional.of(sending),
                new SourceGate(sources)));
    scrubber =
        rollback.add(
            new Scrubber(
                config.vault(), vault, data.root().resolve(DataDirectory.SCRUB), events, clock));
    observe =
        config.observe().listen().map(at -> ObserveServer.start(at, checks(), metrics::scrape));
    observe.ifPresent(rollback::add);
    compactor =
        rollback.add(
            new Compactor(
                config.vault(),
                grace(config),
                vault.stores(),
                retention,
                keys,
                new Compactor.Hooks(
                    vault::endOld,
                    vault.upkeep()::equalizeSoon,
                    vault.upkeep()::give,
                    () -> retention.ahead(clock)),
                clock));
    gauges();
    rollback.add(reconciler);
    reconciler.watch(found);
    compactor.start();
    Erasing erasing = new Erasing(erasures, new ErasedMail(database), keys, events);
    keyUpkeep = rollback.add(new KeyUpkeep(keys, erasing::complete));
    keyUpkeep.start();
    JournalMerge merge = new JournalMerge(stores.list(), stores.minimum(), keys);
    ldap =
        rollback.add(
            new LdapSync(
                new DirectorySources(database, keys),
                new DirectorySync(database, tenants),
                events));
    jobs =
        List.of(
            rollback.add(new PeriodicJob("callout", CALLOUT_INTERVAL, callouts::tidy)),
            rollback.add(new PeriodicJob("ldap", LDAP_INTERVAL, ldap::runDue)),
            rollback.add(new PeriodicJob("journal", JOURNAL_INTERVAL, journal::flush)),
            rollback.add(
                new PeriodicJob("logins", EXCHANGE_INTERVAL, () -> throttle.exchange(database))),
            rollback.add(
                new PeriodicJob("sent", EXCHANGE_INTERVAL, () -> limits.exchange(database))),
            rollback.add(
                new PeriodicJob(
                    "submission-prune",
                    PRUNE_INTERVAL,
                    () -> {
                      throttle.prune(database);
                      limits.prune(database);
                    })),
            rollback.add(
                new PeriodicJob(
                    "node",
                    BEAT_INTERVAL,
                    () -> {
                      if (nodes.beat()) {
                        reconciler.again();
                      }
                    })),
            rollback.add(new PeriodicJob("settings", SETTINGS_INTERVAL, settings::writeChanged)),
            rollback.add(
                new PeriodicJob(
                    "refusals",
                    PRUNE_INTERVAL,
                    () -> refusals.prune(clock.instant().minus(config.observe().keepRefusals())))),
            rollback.add(
                new PeriodicJob(
                    "journal-merge",
                    MERGE_INTERVAL,
                    () -> {
                      merge.merge(retention::gone);
                      merge.prune(retention::gone, compactor.stats().deletedSegments());
                    })),
            rollback.add(new PeriodicJob("sources", SOURCES_INTERVAL, sources::exchange)));
    exchange();
    edge.start();
  }

  /** The addresses that take mail. */
  public List<InetSocketAddress> smtpPorts() {
    return edge.ports();
  }

  /** The addresses where users send. */
  public List<InetSocketAddress> submissionPorts() {
    return edge.submission();
  }

  /** The same with TLS from the first byte. */
  public List<InetSocketAddress> submissionsPorts() {
    return edge.submissions();
  }

  /** The port of the health and metrics pages. */
  public Optional<Integer> httpPort() {
    return observe.map(ObserveServer::port);
  }

  /** Changes to customers and users of this node's installation. */
  public Tenants tenants() {
    return tenants;
  }

  public Database database() {
    return database;
  }

  public SegmentVault vault() {
    return vault;
  }

  public DataDirectory data() {
    return data;
  }

  /**
   * Stops: no new mail at once; sessions and deliveries under way may finish within {@code
   * node.drain}; what is recorded is committed. May be called twice.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    LOG.info("stopping");
    Duration drain = config.node().drain();
    long deadline = System.nanoTime() + drain.toNanos();
    // Sessions may use up their time, one that idles inside a transaction is enough. Deliveries
    // have some of their own: cut after the whole message was sent, they would be sent twice.
    edge.close(drain.minus(drain.dividedBy(DELIVERY_SHARE)));
    callouts.close();
    try {
      Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      delivery.close(left);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    ledger.close();
    compactor.close();
    jobs.forEach(PeriodicJob::close);
    ldap.close();
    edgeParts.close();
    if (!ledger.away()) {
      flush();
      sources.close();
    }
    reconciler.close();
    keyUpkeep.close();
    scrubber.close();
    vault.close();
    if (!ledger.away()) {
      reconciler.noteFinished();
      leave();
    }
    stores.close();
    observe.ifPresent(ObserveServer::close);
    refusals.close();
    metrics.close();
    database.close();
    data.close();
    LOG.info("stopped");
  }

  /** How long places of messages may be in someone's hands: whoever leased a delivery has one. */
  static Duration grace(PosternConfig config) {
    Duration lease = config.delivery().lease();
    Duration grace = config.vault().compactGrace();
    return grace.compareTo(lease) < 0 ? lease : grace;
  }

  private static void nameAddresses(KeyRing keys) {
    try {
      Logging.use(LogNames.of(keys));
    } catch (IOException e) {
      LOG.warn("addresses in this log cannot be told apart: {}", e.getMessage());
    }
  }

  // The block list is there before the first client is.
  private void exchange() {
    try {
      sources.exchange();
    } catch (SQLException e) {
      LOG.warn("blocked sources are not known yet: {}", e.getMessage());
    }
  }

  private void leave() {
    try {
      nodes.leave();
    } catch (RuntimeException e) {
      LOG.debug("the other nodes will notice", e);
    }
  }

  // What a store lacks when everything else is lost at this moment is delivered twice.
  private void flush() {
    try {
      journal.flush();
      settings.writeChanged();
    } catch (IOException e) {
      LOG.warn("outcomes or settings are written to the stores at the next start", e);
    }
  }

  private static EmailAddress postmaster(NodeConfig config) {
    return config
        .postmaster()
        .or(() -> EmailAddress.parse(Tenants.POSTMASTER + "@" + config.hostname()))
        .orElseThrow();
  }

  private static DnsSettings dnsSettings(DnsConfig config) {
    return new DnsSettings(
        config.servers().stream()
            .map(at -> new InetSocketAddress(InetAddress.ofLiteral(at.host()), at.port()))
            .toList(),
        config.timeout(),
        config.cacheEntries());
  }

  private static Route outbound(DeliveryConfig config) {
    return config
        .smarthost()
        .<Route>map(
            host ->
                new Route.Smtp(
                    List.of(new Route.Target(host.host(), host.port())), Route.Tls.OPPORTUNISTIC))
        .orElseGet(() -> new Route.Mx(Route.Tls.OPPORTUNISTIC));
  }

  private Map<String, Supplier<Health>> checks() {
    Map<String, Supplier<Health>> checks = new LinkedHashMap<>();
    checks.put(
        "database",
        () -> database.answers() ? Health.up("answers") : Health.down("does not answer"));
    checks.put(
        "stores",
        () -> {
          String detail =
              vault.upkeep().health().stream()
                  .map(each -> each.store() + (each.up() ? " up" : " down: " + each.why()))
                  .collect(Collectors.joining(", "));
          return vault.accepting() ? Health.up(detail) : Health.down(detail);
        });
    checks.put(
        "ledger",
        () -> {
          String detail = ledger.backlog() + " messages wait to be entered";
          return ledger.accepting() && !ledger.away() ? Health.up(detail) : Health.down(detail);
        });
    return checks;
  }

  private void gauges() {
    metrics.gauge("postern.edge.connections", "SMTP connections now", edge::connections);
    metrics.gauge(
        "postern.edge.receive.memory", "Bytes of messages being received", edge::receiveMemoryUsed);
    metrics.gauge(
        "postern.edge.delayed", "Sessions that are being slowed down", edge::delayedSessions);
    metrics.gauge(
        "postern.edge.turned.away",
        "Connections of flooding networks that were refused at once, since start",
        edge::turnedAway);
    metrics.gauge(
        "postern.sources.blocked.now", "Sources on the internal block list", sources::blockedNow);
    metrics.gauge("postern.sources.suspect", "Sources half way to a block", sources::suspects);
    metrics.gauge(
        "postern.sources.remembered",
        "Addresses, networks and domains in memory",
        sources::remembered);
    metrics.gauge("postern.vault.stores.up", "Stores that take mail", vault::storesUp);
    metrics.gauge(
        "postern.vault.repaired",
        "Objects copied to stores that lacked them",
        vault.upkeep()::repaired);
    ListGauges.register(metrics.registry(), edgeParts.lists());
    ListGauges.register(metrics.registry(), edgeParts.greylist());
    StoreGauges.register(metrics.registry(), vault.upkeep(), scrubber);
    DnsGauges.register(metrics.registry(), dns);
    metrics.gauge(
        "postern.vault.live.bytes",
        "Bytes of messages that something keeps, in one store",
        () -> compactor.stats().liveBytes());
    metrics.gauge(
        "postern.vault.dead.bytes",
        "Bytes that nothing keeps, in segments that are in use",
        () -> compactor.stats().deadBytes());
    metrics.gauge(
        "postern.vault.dropped.bytes",
        "Bytes of segments that are to be deleted",
        () -> compactor.stats().droppedBytes());
    metrics.gauge(
        "postern.vault.segments.dropped",
        "Segments of which nothing was kept, since start",
        () -> compactor.stats().droppedSegments());
    metrics.gauge(
        "postern.vault.segments.rewritten",
        "Segments that were copied into new ones, since start",
        () -> compactor.stats().rewrittenSegments());
    metrics.gauge(
        "postern.vault.segments.deleted",
        "Segments that are gone from every store, since start",
        () -> compactor.stats().deletedSegments());
    metrics.gauge(
        "postern.vault.rewritten.bytes",
        "Bytes of segments that compaction wrote, since start",
        () -> compactor.stats().copiedBytes());
    metrics.gauge(
        "postern.ledger.backlog",
        "Messages that wait to be entered in the ledger",
        ledger::backlog);
    metrics.gauge(
        "postern.journal.lag",
        "Seconds since all outcomes of deliveries were last in the stores",
        journal::lagSeconds);
    metrics.gauge("postern.delivery.under.way", "Deliveries under way", delivery::underWay);
    metrics.gauge(
        "postern.trace.dropped",
        "Refusals not traced because there were too many",
        refusals::dropped);
  }
}
