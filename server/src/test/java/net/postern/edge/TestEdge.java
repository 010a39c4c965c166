package net.postern.edge;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
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
import net.postern.config.TestConfig;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.intake.Envelope;
import net.postern.intake.Intake;
import net.postern.intake.IntakeResult;

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

    /** What the checks ask. */
    CheckWorld world = new CheckWorld();

    Intake intake = (envelope, content) -> new IntakeResult.Accepted(MessageId.create());
    List<HostPort> listen = List.of(new HostPort("127.0.0.1", 0));

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
              Map.entry("receiveMemory", new ByteSize(receiveMemory)),
              Map.entry("starttls", tls.isPresent())));
    }
  }

  final ConcurrentLinkedQueue<Taken> taken = new ConcurrentLinkedQueue<>();
  final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();
  final TestDirectory directory = new TestDirectory();
  final EdgeServer server;

  TestEdge(Settings settings) {
    server =
        new EdgeServer(
            settings.config(),
            HOSTNAME,
            settings.postmaster,
            directory,
            settings.world.checks(directory, events::add),
            (envelope, content) -> {
              taken.add(new Taken(envelope, content));
              return settings.intake.accept(envelope, content);
            },
            events::add,
            settings.world.clock(),
            settings.tls::orElseThrow);
    server.start();
  }

  int port() {
    return server.ports().getFirst().getPort();
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
