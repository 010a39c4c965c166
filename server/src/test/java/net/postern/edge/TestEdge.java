package net.postern.edge;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.net.ssl.SSLContext;
import net.postern.address.EmailAddress;
import net.postern.config.ByteSize;
import net.postern.config.EdgeConfig;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.config.Reaction;
import net.postern.config.SubmissionConfig;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.edge.check.Checks;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.intake.Envelope;
import net.postern.intake.Intake;
import net.postern.intake.IntakeResult;
import net.postern.source.Sources;
import net.postern.submission.Authenticator;
import net.postern.submission.GuessThrottle;
import net.postern.submission.Outbound;
import net.postern.submission.SendLimits;
import net.postern.submission.TestAccounts;
import net.postern.tenant.Directory;

/** A listening server with neighbours in memory; what reached them can be looked at. */
final class TestEdge implements AutoCloseable {
  static final String HOSTNAME = "mx.test";

  /** A message that intake was given. */
  record Taken(Envelope envelope, byte[] content) {
    String text() {
      return new String(content, StandardCharsets.ISO_8859_1);
    }
  }

  /** Settings with the product's defaults, to change before the start. */
  static final class Settings {
    long maxMessage = 50L << 20;
    int maxRecipients = 1000;
    int maxMessages = 10_000;
    int softErrors = 10;
    int hardErrors = 20;
    int maxConnections = 20_000;
    int maxConnectionsPerSource = 20_000;
    List<Network> unlimited = List.of();
    Duration commandTimeout = Duration.ofMinutes(5);
    Duration dataTimeout = Duration.ofMinutes(3);
    Duration messageTimeout = Duration.ofMinutes(30);
    Duration sessionTimeout = Duration.ofHours(2);
    long receiveMemory;
    EmailAddress postmaster = new EmailAddress("postmaster", HOSTNAME);
    Optional<SSLContext> tls = Optional.empty();

    /** Users as the product keeps them; without it those of {@link TestDirectory}. */
    Optional<AccountWorld> accounts = Optional.empty();

    /** What the checks ask. */
    CheckWorld world = new CheckWorld();

    Intake intake = (envelope, content) -> new IntakeResult.Accepted(MessageId.create());
    int junkCommands = 100;
    int delayedSessions = 1000;
    Duration greetPause = Duration.ZERO;
    Reaction earlyTalkers = Reaction.REFUSE;
    Reaction pipeliningAbuse = Reaction.NOTE;

    /** What is known of clients; without it nothing is asked of them. */
    Optional<Sources> sources = Optional.empty();

    List<HostPort> listen = List.of(new HostPort("127.0.0.1", 0));
    List<Network> proxies = List.of();
    List<Network> xclients = List.of();
    boolean plainOnLoopback;
    String author = "DOMAIN";
    boolean hideClient = true;
    int accountMessagesHour = 300;
    int accountRecipientsHour = 1000;
    boolean serverMailbox = true;
    Optional<String> certificate = Optional.empty();

    SubmissionConfig submission() {
      return TestConfig.with(
          TestConfig.submission(),
          Map.ofEntries(
              Map.entry("plainOnLoopback", plainOnLoopback),
              Map.entry("hashMemory", new ByteSize(8 * 1024)),
              Map.entry("hashPasses", 1),
              Map.entry("failureDelay", Duration.ofMillis(10)),
              Map.entry("author", SubmissionConfig.Author.valueOf(author)),
              Map.entry("hideClient", hideClient),
              Map.entry("accountMessagesHour", accountMessagesHour),
              Map.entry("accountRecipientsHour", accountRecipientsHour)));
    }

    EdgeConfig config() {
      return TestConfig.with(
          TestConfig.edge(),
          Map.ofEntries(
              Map.entry("listen", listen),
              Map.entry("maxMessage", new ByteSize(maxMessage)),
              Map.entry("maxRecipients", maxRecipients),
              Map.entry("maxMessages", maxMessages),
              Map.entry("softErrors", softErrors),
              Map.entry("hardErrors", hardErrors),
              Map.entry("maxConnections", maxConnections),
              Map.entry("maxConnectionsPerSource", maxConnectionsPerSource),
              Map.entry("unlimitedSources", unlimited),
              Map.entry("commandTimeout", commandTimeout),
              Map.entry("dataTimeout", dataTimeout),
              Map.entry("messageTimeout", messageTimeout),
              Map.entry("sessionTimeout", sessionTimeout),
              Map.entry("junkCommands", junkCommands),
              Map.entry("delayedSessions", delayedSessions),
              Map.entry("pipeliningAbuse", pipeliningAbuse),
              Map.entry("receiveMemory", new ByteSize(receiveMemory)),
              Map.entry("starttls", tls.isPresent()),
              Map.entry("submission", listen),
              Map.entry("submissions", tls.isPresent() ? listen : List.of()),
              Map.entry("proxyNetworks", proxies),
              Map.entry("xclientNetworks", xclients)));
    }
  }

  final ConcurrentLinkedQueue<Taken> taken = new ConcurrentLinkedQueue<>();
  final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();
  final TestDirectory directory = new TestDirectory();
  final TestAccounts accounts = new TestAccounts(TestDirectory.CUSTOMER);
  final EdgeServer server;

  /** Users {@code anna} and {@code user1} of example.org may log in with {@value}. */
  static final String PASSWORD = "correct horse";

  private Outbound outbound(Settings settings) {
    accounts.add("anna@example.org", PASSWORD);
    accounts.add("user1@example.org", PASSWORD);
    if (settings.serverMailbox) {
      accounts.serverMailboxes.put(TestDirectory.CUSTOMER, TestAccounts.mailbox("servers"));
    }
    settings.certificate.ifPresent(accounts::certificate);
    SubmissionConfig config = settings.submission();
    return new Outbound(
        config,
        directory,
        accounts,
        new Authenticator(
            config, accounts, new GuessThrottle(InstantSource.system()), new byte[] {1}),
        new SendLimits(config, accounts, InstantSource.system(), Optional.empty()));
  }

  TestEdge(Settings settings) {
    Directory users = settings.accounts.map(AccountWorld::directory).orElse(directory);
    settings.world.policies = settings.accounts.map(AccountWorld::policies);
    server =
        new EdgeServer(
            settings.config(),
            HOSTNAME,
            settings.postmaster,
            users,
            settings.world.checks(
                users,
                events::add,
                settings.sources.map(
                    each ->
                        new Checks.SourceParts(
                            each,
                            settings.greetPause,
                            settings.earlyTalkers,
                            settings.pipeliningAbuse))),
            (envelope, content) -> {
              taken.add(new Taken(envelope, content));
              return settings.intake.accept(envelope, content);
            },
            event -> {
              events.add(event);
              settings.sources.ifPresent(each -> each.emit(event));
            },
            settings.world.clock(),
            settings.tls::orElseThrow,
            Optional.of(outbound(settings)),
            settings.sources.map(TestEdge::gate).orElse(Gate.OPEN));
    server.start();
  }

  /** What is known of sources by one node with the shipped limits, from which nobody is exempt. */
  static Sources sources(Database database, InstantSource clock) {
    return new Sources(
        TestConfig.limits("exempt = []"), List.of(), new byte[32], database, event -> {}, clock);
  }

  // As the node has it.
  private static Gate gate(Sources sources) {
    return new Gate() {
      @Override
      public boolean refuses(InetAddress client) {
        return sources.floods(client);
      }

      @Override
      public int connections(InetAddress client, int standard) {
        return sources.connections(client, standard);
      }
    };
  }

  int port() {
    return server.ports().getFirst().getPort();
  }

  /** The port of a service: mx, submission or submissions. */
  int port(String service) {
    return switch (service) {
      case "mx" -> port();
      case "submission" -> server.submission().getFirst().getPort();
      case "submissions" -> server.submissions().getFirst().getPort();
      default -> throw new IllegalArgumentException("no service " + service);
    };
  }

  InetSocketAddress address() {
    return server.ports().getFirst();
  }

  List<MailEvent.Refused> refusals() {
    return events.stream()
        .filter(e -> e instanceof MailEvent.Refused)
        .map(e -> (MailEvent.Refused) e)
        .toList();
  }

  @Override
  public void close() {
    server.close();
  }
}
