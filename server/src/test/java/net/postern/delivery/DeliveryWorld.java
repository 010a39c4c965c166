package net.postern.delivery;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.address.EmailAddress;
import net.postern.config.ByteSize;
import net.postern.config.DeliveryConfig;
import net.postern.config.Network;
import net.postern.dns.MapResolver;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryKey;
import net.postern.ledger.DeliveryLedger;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.LedgerUnavailableException;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.Settlement;
import net.postern.smtp.client.SmtpClientConfig;
import net.postern.tenant.Route;
import net.postern.tenant.Routing;
import net.postern.testkit.SmtpPeer;
import net.postern.vault.Kept;
import net.postern.vault.MessageFrame;
import net.postern.vault.MessageVault;
import net.postern.vault.Place;
import net.postern.vault.VaultUnavailableException;

/** A ledger, a vault and routes in memory, around a real engine. */
final class DeliveryWorld implements AutoCloseable {
  static final String HOST = "gate.example";
  static final Duration FIRST_RETRY = Duration.ofMillis(200);
  static final byte[] MAIL =
      "From: a@sender.example\r\nSubject: hello\r\n\r\n.dot\r\nbody\r\n"
          .getBytes(StandardCharsets.US_ASCII);

  final Ledger ledger = new Ledger();
  final Vault vault = new Vault();
  final MapResolver dns = new MapResolver();
  final Map<String, Route> routes = new ConcurrentHashMap<>();
  final List<MailEvent> events = new CopyOnWriteArrayList<>();
  final CustomerId customer = CustomerId.create();
  final DeliveryEngine engine;

  private DeliveryWorld(DeliveryConfig config, int mxPort, Optional<SmtpClientConfig> client) {
    Routing routing =
        (who, recipient) -> {
          Route route = routes.get(recipient.domain());
          if (route == null) {
            throw new IllegalStateException("the domain has none");
          }
          return route;
        };
    var parts =
        new DeliveryEngine.Parts(ledger, vault, routing, dns, events::add, InstantSource.system());
    engine =
        client.isPresent()
            ? new DeliveryEngine(config, HOST, mxPort, parts, client.get())
            : new DeliveryEngine(config, HOST, mxPort, parts);
  }

  static DeliveryWorld start() {
    return start(config(20, 8));
  }

  static DeliveryWorld start(DeliveryConfig config) {
    return start(config, 25, Optional.empty());
  }

  static DeliveryWorld start(DeliveryConfig config, int mxPort, Optional<SmtpClientConfig> client) {
    DeliveryWorld world = new DeliveryWorld(config, mxPort, client);
    world.engine.start();
    return world;
  }

  /** Leaves a server that hangs after a second, where others have ten. */
  static DeliveryWorld impatient(DeliveryConfig config) {
    Duration second = Duration.ofSeconds(1);
    Duration connect = config.connectTimeout();
    return start(
        config,
        25,
        Optional.of(
            new SmtpClientConfig(
                HOST,
                connect,
                second,
                second,
                SmtpClientConfig.of(HOST, connect, second).verifying())));
  }

  static DeliveryConfig config(int concurrency, int connectionsPerTarget) {
    return config(concurrency, connectionsPerTarget, Duration.ofSeconds(10), 1000);
  }

  static DeliveryConfig config(
      int concurrency, int connectionsPerTarget, Duration keep, int messagesPerConnection) {
    return new DeliveryConfig(
        concurrency,
        connectionsPerTarget,
        keep,
        messagesPerConnection,
        Duration.ofSeconds(5),
        // Longer than a test machine stands still: then every connection that waits is given up.
        Duration.ofSeconds(10),
        FIRST_RETRY,
        Duration.ofSeconds(2),
        Duration.ofDays(5),
        Optional.empty(),
        List.of(Network.parse("127.0.0.0/8").orElseThrow()),
        Duration.ofMinutes(15),
        new ByteSize(64 << 20));
  }

  /** The same, but what failed is left alone for a good while. */
  static DeliveryConfig slowToRetry(DeliveryConfig config) {
    return new DeliveryConfig(
        config.concurrency(),
        config.connectionsPerTarget(),
        config.keepConnection(),
        config.messagesPerConnection(),
        config.connectTimeout(),
        config.replyTimeout(),
        Duration.ofMinutes(5),
        Duration.ofMinutes(5),
        config.giveUp(),
        config.smarthost(),
        config.insideExchangers(),
        config.lease(),
        config.handoffMemory());
  }

  /** The same, but as shipped: no inside network may be named by MX records. */
  static DeliveryConfig shutInside(DeliveryConfig config) {
    return new DeliveryConfig(
        config.concurrency(),
        config.connectionsPerTarget(),
        config.keepConnection(),
        config.messagesPerConnection(),
        config.connectTimeout(),
        config.replyTimeout(),
        config.firstRetry(),
        config.maxRetry(),
        config.giveUp(),
        config.smarthost(),
        List.of(),
        config.lease(),
        config.handoffMemory());
  }

  void route(String domain, SmtpPeer... peers) {
    routes.put(domain, smtp(Route.Tls.OPPORTUNISTIC, peers));
  }

  static Route smtp(Route.Tls tls, SmtpPeer... peers) {
    List<Route.Target> targets = new ArrayList<>();
    for (SmtpPeer peer : peers) {
      targets.add(new Route.Target("127.0.0.1", peer.port()));
    }
    return new Route.Smtp(targets, tls);
  }

  void maildir(String domain, Path directory) {
    routes.put(domain, new Route.Maildir(directory));
  }

  static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  Letter letter(String... recipients) {
    return new Letter(this, List.of(recipients));
  }

  /** A message that is to be sent, with the usual values. */
  static final class Letter {
    private final DeliveryWorld world;
    private final List<String> recipients;
    private Optional<EmailAddress> from = Optional.of(address("a@sender.example"));
    private byte[] content = MAIL;
    private Instant giveUpAt = Instant.now().plus(Duration.ofDays(5));
    private String mark = "";
    private String tag = "";
    final MessageId id = MessageId.create();

    Letter(DeliveryWorld world, List<String> recipients) {
      this.world = world;
      this.recipients = recipients;
    }

    Letter fromNobody() {
      from = Optional.empty();
      return this;
    }

    Letter content(String text) {
      content = text.getBytes(StandardCharsets.UTF_8);
      return this;
    }

    Letter giveUpAt(Instant when) {
      giveUpAt = when;
      return this;
    }

    Letter marked(String lines, String subjectTag) {
      mark = lines;
      tag = subjectTag;
      return this;
    }

    /** Hands it to the engine as intake does. */
    MessageId dispatch() {
      if (!world.engine.reserve(recipients.size(), content.length)) {
        throw new AssertionError("no room");
      }
      List<LeasedDelivery> deliveries = leased(1, Instant.now().plus(Duration.ofMinutes(15)), true);
      deliveries.forEach(world.ledger::entered);
      world.engine.dispatch(deliveries);
      return id;
    }

    /** Enters it as waiting, to be leased. */
    MessageId enter() {
      List<LeasedDelivery> deliveries = leased(0, Instant.MIN, false);
      deliveries.forEach(world.ledger::waiting);
      world.engine.wake();
      return id;
    }

    List<LeasedDelivery> leased(int attempt, Instant leaseUntil, boolean inMemory) {
      Place place = world.vault.put(content);
      List<LeasedDelivery> all = new ArrayList<>();
      for (int i = 0; i < recipients.size(); i++) {
        all.add(
            new LeasedDelivery(
                new DeliveryKey(world.customer, id, i),
                place,
                new MailboxId(new UUID(1, i)),
                from,
                address(recipients.get(i)),
                Instant.now(),
                giveUpAt,
                attempt,
                leaseUntil,
                content.length,
                false,
                mark,
                tag,
                inMemory ? Optional.of(content) : Optional.empty()));
      }
      return all;
    }
  }

  /** Rows in a map; a settlement takes effect at once. */
  static final class Ledger implements DeliveryLedger {
    record Row(LeasedDelivery delivery, DeliveryState state, Instant due, int attempts) {}

    final Map<DeliveryKey, Row> rows = new ConcurrentHashMap<>();
    final List<Settlement> settlements = new CopyOnWriteArrayList<>();
    final List<MessageRecord> reports = new CopyOnWriteArrayList<>();
    final AtomicInteger leases = new AtomicInteger();
    volatile boolean away;

    void entered(LeasedDelivery delivery) {
      rows.put(
          delivery.key(), new Row(delivery, DeliveryState.IN_PROGRESS, delivery.leaseUntil(), 1));
    }

    void waiting(LeasedDelivery delivery) {
      rows.put(delivery.key(), new Row(delivery, DeliveryState.WAITING, Instant.now(), 0));
    }

    @Override
    public List<LeasedDelivery> lease(int max, Duration lease) throws LedgerUnavailableException {
      leases.incrementAndGet();
      if (away) {
        throw new LedgerUnavailableException("away", new IllegalStateException("away"));
      }
      Instant now = Instant.now();
      List<LeasedDelivery> taken = new ArrayList<>();
      for (DeliveryKey key : rows.keySet()) {
        if (taken.size() == max) {
          break;
        }
        rows.computeIfPresent(
            key,
            (same, row) -> {
              boolean open =
                  row.state() == DeliveryState.WAITING || row.state() == DeliveryState.IN_PROGRESS;
              if (!open || row.due().isAfter(now)) {
                return row;
              }
              LeasedDelivery d = row.delivery();
              Instant until = now.plus(lease);
              LeasedDelivery fresh =
                  new LeasedDelivery(
                      d.key(),
                      d.place(),
                      d.mailbox(),
                      d.reversePath(),
                      d.recipient(),
                      d.acceptedAt(),
                      d.giveUpAt(),
                      row.attempts() + 1,
                      until,
                      d.bytes(),
                      d.utf8(),
                      d.mark(),
                      d.subjectTag(),
                      Optional.empty());
              taken.add(fresh);
              return new Row(fresh, DeliveryState.IN_PROGRESS, until, row.attempts() + 1);
            });
      }
      return taken;
    }

    @Override
    public Instant nextDue() {
      return rows.values().stream()
          .filter(row -> row.state() == DeliveryState.WAITING)
          .map(Row::due)
          .min(Instant::compareTo)
          .orElse(Instant.MAX);
    }

    @Override
    public CompletableFuture<Void> settle(Settlement settlement) {
      settlements.add(settlement);
      rows.computeIfPresent(
          settlement.key(),
          (key, row) ->
              switch (settlement) {
                case Settlement.Delivered _ ->
                    new Row(row.delivery(), DeliveryState.DELIVERED, Instant.MAX, row.attempts());
                case Settlement.Retry retry ->
                    new Row(
                        row.delivery(), DeliveryState.WAITING, retry.nextAttempt(), row.attempts());
                case Settlement.Returned returned -> {
                  returned.report().ifPresent(reports::add);
                  yield new Row(
                      row.delivery(), DeliveryState.RETURNED, Instant.MAX, row.attempts());
                }
                case Settlement.Unattempted _ ->
                    new Row(
                        row.delivery(), DeliveryState.WAITING, Instant.now(), row.attempts() - 1);
              });
      return CompletableFuture.completedFuture(null);
    }

    DeliveryState state(MessageId message) {
      return state(message, 0);
    }

    DeliveryState state(MessageId message, int number) {
      return rows.entrySet().stream()
          .filter(e -> e.getKey().message().equals(message) && e.getKey().number() == number)
          .map(e -> e.getValue().state())
          .findFirst()
          .orElseThrow();
    }

    int count(DeliveryState state) {
      return (int) rows.values().stream().filter(row -> row.state() == state).count();
    }

    <T extends Settlement> List<T> settled(Class<T> kind) {
      return settlements.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
  }

  /** Frames in a map. */
  static final class Vault implements MessageVault {
    final Map<Place, MessageFrame> frames = new ConcurrentHashMap<>();
    final AtomicInteger reads = new AtomicInteger();
    volatile boolean away;

    Place put(byte[] content) {
      Place place = new Place(UUID.randomUUID(), 0, content.length);
      MessageFrame.Holder holder = new MessageFrame.Holder(CustomerId.create(), MailboxId.create());
      frames.put(
          place, new MessageFrame(MessageId.create(), List.of(holder), new byte[0], content));
      return place;
    }

    @Override
    public Kept keep(MessageFrame frame) throws VaultUnavailableException {
      if (away) {
        throw new VaultUnavailableException("away");
      }
      Place place = new Place(UUID.randomUUID(), 0, frame.content().length);
      frames.put(place, frame);
      return new Kept(place, 3);
    }

    @Override
    public MessageFrame read(Place place) throws VaultUnavailableException {
      reads.incrementAndGet();
      MessageFrame frame = frames.get(place);
      if (away || frame == null) {
        throw new VaultUnavailableException("away");
      }
      return frame;
    }
  }

  @Override
  public void close() {
    try {
      engine.close(Duration.ofMillis(500));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
