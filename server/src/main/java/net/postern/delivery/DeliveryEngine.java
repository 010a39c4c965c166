package net.postern.delivery;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import net.postern.config.DeliveryConfig;
import net.postern.delivery.DeliveryResult.Diagnosis;
import net.postern.dns.Resolver;
import net.postern.events.Events;
import net.postern.ledger.DeliveryLedger;
import net.postern.ledger.Dispatcher;
import net.postern.ledger.LeasedDelivery;
import net.postern.smtp.client.OutgoingMail;
import net.postern.smtp.client.SmtpClientConfig;
import net.postern.smtp.client.SmtpConnector;
import net.postern.tenant.Routing;
import net.postern.vault.MessageVault;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers mail. {@link #start} begins to lease waiting work; handed-over work is taken from the
 * moment of construction. {@link #close} ends it within a stated time and loses nothing: what was
 * not attempted is given back to the ledger.
 */
public final class DeliveryEngine implements Dispatcher {
  /** RFC 5321 §4.5.4.2: where mail exchangers listen. */
  public static final int SMTP_PORT = 25;

  /** Handed-over deliveries that may wait for each that may run. */
  private static final int WAITING_PER_RUNNING = 16;

  private static final Duration DEAD_TARGET_FIRST = Duration.ofSeconds(15);
  private static final Duration DEAD_TARGET_LONGEST = Duration.ofMinutes(5);
  private static final Duration OVERFLOW_WAIT = Duration.ofSeconds(30);
  private static final Duration OVERFLOW_SPACING = Duration.ofMillis(5);
  private static final Duration LEASE_MARGIN = Duration.ofSeconds(10);
  private static final Duration ENTERED_SOON = Duration.ofMillis(500);
  private static final Duration AFTER_ABORT = Duration.ofSeconds(2);

  private static final Logger LOG = LoggerFactory.getLogger(DeliveryEngine.class);

  private final DeliveryConfig config;
  private final Parts parts;
  private final HopFinder hops;
  private final SmtpConnector connector;
  private final Room room;
  private final Poller poller;
  private final Settler settler;
  private final SmtpCarrier.Tools tools;
  private final MaildirStore maildirs;
  private final Lane.Shape shape;
  private final Map<Hop, Lane> lanes = new ConcurrentHashMap<>();
  private final Outstanding unsettled = new Outstanding();
  private final Outstanding threads = new Outstanding();
  private volatile boolean closing;
  private volatile boolean aborting;

  /** What delivery works with. */
  public record Parts(
      DeliveryLedger ledger,
      MessageVault vault,
      Routing routing,
      Resolver resolver,
      Events events,
      InstantSource clock) {}

  /**
   * @param hostname of this node: for EHLO, reports and the recognition of loops
   * @param mxPort {@link #SMTP_PORT}, except in tests
   */
  public DeliveryEngine(DeliveryConfig config, String hostname, int mxPort, Parts parts) {
    this(
        config,
        hostname,
        mxPort,
        parts,
        SmtpClientConfig.of(hostname, config.connectTimeout(), config.replyTimeout()));
  }

  /**
   * @param client how connections are made, as with a trust of one's own
   */
  public DeliveryEngine(
      DeliveryConfig config, String hostname, int mxPort, Parts parts, SmtpClientConfig client) {
    this.config = config;
    this.parts = parts;
    this.hops = new HopFinder(parts.resolver(), hostname, mxPort);
    this.connector = new SmtpConnector(client);
    long memory = config.handoffMemory().bytes();
    if (memory == 0) {
      memory = Runtime.getRuntime().maxMemory() / 8;
    }
    int concurrency = Math.max(1, config.concurrency());
    this.room = new Room(concurrency * WAITING_PER_RUNNING, memory);
    ReadRoom readRoom = new ReadRoom(memory);
    int ceiling = Math.max(64, concurrency * 2);
    this.poller =
        new Poller(
            parts.ledger(), parts.clock(), config.lease(), ceiling, this::leased, this::shed);
    this.settler =
        new Settler(
            parts.ledger(),
            parts.vault(),
            parts.events(),
            parts.clock(),
            new RetrySchedule(
                config.firstRetry(),
                config.maxRetry(),
                () -> ThreadLocalRandom.current().nextDouble()),
            hostname,
            config.giveUp(),
            readRoom,
            unsettled,
            poller::due);
    // A server is tried again before the messages that failed on it are.
    Duration deadFirst = shorter(DEAD_TARGET_FIRST, config.firstRetry().dividedBy(4));
    Duration deadLongest = shorter(DEAD_TARGET_LONGEST, config.firstRetry().dividedBy(2));
    this.tools =
        new SmtpCarrier.Tools(
            connector,
            parts.resolver(),
            new TargetHealth(deadFirst, deadLongest),
            parts.vault(),
            settler,
            parts.clock(),
            Math.max(1, config.messagesPerConnection()),
            shorter(LEASE_MARGIN, config.lease().dividedBy(10)),
            config.insideExchangers(),
            threads,
            () -> aborting);
    this.maildirs = new MaildirStore(hostname);
    this.shape =
        new Lane.Shape(
            Math.clamp(config.connectionsPerTarget(), 1, concurrency),
            concurrency * WAITING_PER_RUNNING + ceiling,
            memory / 4,
            config.keepConnection(),
            // Fair, so that lanes that wait for their turn get it in order.
            new Semaphore(concurrency, true),
            readRoom);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) <= 0 ? one : other;
  }

  /** Begins to lease waiting work from the ledger. */
  public void start() {
    poller.start();
  }

  /** Says that work may be due at once, as after a release from quarantine. Never blocks. */
  public void wake() {
    poller.wake();
  }

  /** How many deliveries are taken and not yet entered as done, failed or put off. */
  public int underWay() {
    return unsettled.count();
  }

  @Override
  public boolean reserve(int deliveries, long bytes) {
    // With nothing to hand over there would be nobody to give the bytes back.
    if (closing || deliveries == 0) {
      return false;
    }
    boolean reserved = room.reserve(deliveries, bytes);
    if (!reserved) {
      // They will be entered as waiting in a moment.
      poller.due(parts.clock().instant().plus(ENTERED_SOON));
    }
    return reserved;
  }

  @Override
  public void cancel(int deliveries, long bytes) {
    room.release(deliveries, bytes);
  }

  /** One call for each {@link #reserve}: all deliveries of the message that room was asked for. */
  @Override
  public void dispatch(List<LeasedDelivery> deliveries) {
    if (deliveries.isEmpty()) {
      return;
    }
    unsettled.add(deliveries.size());
    Job.Ticket ticket = room.ticket(deliveries.size(), deliveries.getFirst().bytes());
    // Finding the route may ask the database or the DNS, which the caller must not wait for.
    Thread _ = Thread.ofVirtual().name("delivery-route").start(() -> route(deliveries, ticket));
  }

  private void leased(List<LeasedDelivery> deliveries) {
    unsettled.add(deliveries.size());
    Map<Job.Form, List<LeasedDelivery>> messages = new LinkedHashMap<>();
    for (LeasedDelivery delivery : deliveries) {
      messages.computeIfAbsent(Job.Form.of(delivery), form -> new ArrayList<>()).add(delivery);
    }
    for (List<LeasedDelivery> message : messages.values()) {
      Thread _ =
          Thread.ofVirtual().name("delivery-route").start(() -> route(message, poller::done));
    }
  }

  /** Cuts deliveries into jobs and puts each on its lane. */
  private void route(List<LeasedDelivery> deliveries, Job.Ticket ticket) {
    if (deliveries.size() == 1) {
      Job job = new Job(deliveries, ticket);
      find(deliveries.getFirst(), job, hop -> submit(hop, job));
      return;
    }
    record Group(Hop hop, Job.Form form) {}
    Map<Group, List<LeasedDelivery>> groups = new LinkedHashMap<>();
    for (LeasedDelivery delivery : deliveries) {
      find(
          delivery,
          new Job(List.of(delivery), ticket),
          hop ->
              groups
                  .computeIfAbsent(
                      new Group(hop, Job.Form.of(delivery)), group -> new ArrayList<>())
                  .add(delivery));
    }
    groups.forEach(
        (group, members) -> {
          for (int from = 0; from < members.size(); from += OutgoingMail.MAX_RECIPIENTS) {
            int to = Math.min(members.size(), from + OutgoingMail.MAX_RECIPIENTS);
            submit(group.hop(), new Job(members.subList(from, to), ticket));
          }
        });
  }

  private void find(LeasedDelivery delivery, Job alone, java.util.function.Consumer<Hop> onHop) {
    if (closing) {
      settler.unattempted(alone);
      return;
    }
    HopFinder.Found found;
    try {
      found =
          hops.find(
              parts.routing().routeFor(delivery.key().customer(), delivery.recipient()),
              delivery.recipient().domain());
    } catch (IllegalStateException e) {
      String why = "no route for " + delivery.recipient().domain() + ": " + e.getMessage();
      settler.settleAll(alone, "", new DeliveryResult.Transient(Diagnosis.own("4.4.4", why)));
      return;
    } catch (RuntimeException e) {
      LOG.error("no route for {}", delivery.key(), e);
      settler.settleAll(
          alone, "", new DeliveryResult.Transient(Diagnosis.own("4.3.0", "internal error")));
      return;
    }
    switch (found) {
      case HopFinder.Found.At(Hop hop) -> onHop.accept(hop);
      case HopFinder.Found.Nowhere(DeliveryResult result) ->
          settler.settleAll(alone, "mx:" + delivery.recipient().domain(), result);
    }
  }

  private void submit(Hop hop, Job job) {
    while (true) {
      Lane lane = lanes.computeIfAbsent(hop, this::lane);
      switch (closing ? Lane.Offer.CLOSED : lane.offer(job)) {
        case TAKEN -> {
          if (closing) {
            // The lane may have been made after all others were closed.
            lane.close().forEach(settler::unattempted);
          }
          return;
        }
        case RETIRED -> lanes.remove(hop, lane);
        case CLOSED -> {
          settler.unattempted(job);
          return;
        }
        case FULL -> {
          putOff(lane, job);
          return;
        }
      }
    }
  }

  private void putOff(Lane lane, Job job) {
    Instant until =
        lane.overflowSlot(
            parts.clock().instant(), shorter(OVERFLOW_WAIT, config.firstRetry()), OVERFLOW_SPACING);
    settler.putOff(job, lane.hop().toString(), until, "much other mail waits for the same server");
  }

  private void shed() {
    for (Lane lane : lanes.values()) {
      lane.shed().forEach(job -> putOff(lane, job));
    }
  }

  private Lane lane(Hop hop) {
    return new Lane(
        hop,
        shape,
        () ->
            switch (hop) {
              case Hop.Servers servers -> new SmtpCarrier(tools, servers);
              case Hop.Maildirs directory ->
                  new MaildirCarrier(
                      directory,
                      maildirs,
                      parts.vault(),
                      settler,
                      parts.clock(),
                      tools.leaseMargin());
            },
        this::fallen,
        this::putOff,
        lane -> lanes.remove(hop, lane),
        threads);
  }

  /** A job that its worker could not settle. */
  private void fallen(Job job) {
    if (closing) {
      settler.unattempted(job);
      return;
    }
    settler.settleAll(
        job, "", new DeliveryResult.Transient(Diagnosis.own("4.3.0", "internal error")));
  }

  /**
   * Takes no new work, lets attempts finish that are under way, gives the rest back, says goodbye
   * to servers. After the time is over connections are cut; what the server had not answered then
   * goes back unattempted, or is tried again when it may have been taken.
   *
   * @param limit for all of it; up to two seconds more pass when connections have to be cut
   */
  public void close(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    closing = true;
    room.close();
    boolean stopped = poller.stop(rest(end));
    for (Lane lane : lanes.values()) {
      lane.close().forEach(settler::unattempted);
    }
    boolean finished = stopped && threads.awaitNone(rest(end)) && unsettled.awaitNone(rest(end));
    if (!finished) {
      aborting = true;
      connector.abortAll();
      long last = System.nanoTime() + AFTER_ABORT.toNanos();
      if (!threads.awaitNone(rest(last)) || !unsettled.awaitNone(rest(last))) {
        LOG.warn("{} outcomes were not entered before the end; their leases run out", underWay());
      }
    }
    connector.close();
  }

  private static Duration rest(long end) {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }
}
