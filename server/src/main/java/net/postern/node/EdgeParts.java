package net.postern.node;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.auth.Spf;
import net.postern.batch.PeriodicJob;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.dns.DnsjavaResolver;
import net.postern.dns.Resolver;
import net.postern.dnsbl.BlockLists;
import net.postern.dnsbl.Zone;
import net.postern.dnsbl.ZoneBoard;
import net.postern.dnsbl.ZoneTable;
import net.postern.edge.check.Checks;
import net.postern.events.Events;
import net.postern.greylist.Greylist;
import net.postern.source.Sources;
import net.postern.tenant.DatabaseRecipientPolicies;
import net.postern.tenant.Directory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the checks at the edge ask: block lists, greylisting, the choices of recipients. */
final class EdgeParts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EdgeParts.class);

  /** How often it is looked whether a block list is due for a test. */
  private static final Duration TEND_INTERVAL = Duration.ofSeconds(15);

  private static final Duration FORGET_INTERVAL = Duration.ofMinutes(30);

  private final BlockLists lists;
  private final Greylist greylist;
  private final Checks checks;
  private final List<PeriodicJob> jobs;

  EdgeParts(
      PosternConfig config,
      UUID node,
      Database database,
      Directory directory,
      DnsjavaResolver dns,
      Sources sources,
      Events events,
      Clock clock)
      throws StartException {
    List<Zone> zones;
    try {
      zones = ZoneTable.chosen(config.dnsbl());
    } catch (IllegalArgumentException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    Resolver strangers = dns.forStrangers();
    Resolver hasty = strangers.within(config.dnsbl().budget());
    Resolver ofLists = dns.forLists().within(config.dnsbl().budget());
    lists = new BlockLists(zones, ofLists, config.dnsbl().budget(), clock, events);
    greylist = new Greylist(database, config.greylist(), clock);
    Checks.Parts parts =
        new Checks.Parts(
            directory,
            new DatabaseRecipientPolicies(database, config.node().directoryCache()),
            hasty,
            new Spf(strangers, Spf.STANDARD_LIMIT, clock),
            lists,
            Optional.of(greylist),
            new Checks.Self(config.node().hostname(), ownAddresses()),
            new Checks.Rules(config.dnsbl().threshold(), config.checks().spfFail()),
            Optional.of(
                new Checks.SourceParts(
                    sources,
                    config.edge().greetPause(),
                    config.edge().earlyTalkers(),
                    config.edge().pipeliningAbuse())));
    try {
      checks = Checks.inOrder(parts).switched(config.checks().on(), config.checks().off());
    } catch (IllegalArgumentException e) {
      throw new StartException("checks: " + e.getMessage(), e);
    }
    ZoneBoard board = new ZoneBoard(database);
    // Nobody waits for the first look: a list is not asked before it.
    Thread.ofVirtual().name("dnsbl-first").start(lists::tend);
    jobs =
        List.of(
            new PeriodicJob(
                "dnsbl",
                TEND_INTERVAL,
                () -> {
                  lists.tend();
                  if (!zones.isEmpty()) {
                    board.write(node, lists.status());
                  }
                }),
            new PeriodicJob("greylist", FORGET_INTERVAL, greylist::forget));
  }

  Checks checks() {
    return checks;
  }

  BlockLists lists() {
    return lists;
  }

  Greylist greylist() {
    return greylist;
  }

  private static Set<InetAddress> ownAddresses() {
    Set<InetAddress> own = new HashSet<>();
    try {
      NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .forEach(own::add);
    } catch (SocketException e) {
      LOG.warn("this machine's own addresses are unknown: {}", e.getMessage());
    }
    return own;
  }

  @Override
  public void close() {
    jobs.forEach(PeriodicJob::close);
  }
}
