package net.postern.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.config.ConfigLoader;
import net.postern.config.EdgeConfig;
import net.postern.config.HostPort;
import net.postern.edge.EdgeServer;
import net.postern.edge.check.Checks;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.intake.Envelope;
import net.postern.intake.Intake;
import net.postern.intake.IntakeResult;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The customer's own mail server: takes everything for one domain on a free loopback port and
 * writes each message to a file of a directory, named by the id in its reply.
 */
final class NextHop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NextHop.class);
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final Path directory;
  private final EdgeServer server;

  private NextHop(Path directory, EdgeServer server) {
    this.directory = directory;
    this.server = server;
  }

  /**
   * Starts it.
   *
   * @throws IOException when the directory cannot be made
   */
  static NextHop start(String domain, Path directory) throws IOException {
    Files.createDirectories(directory);
    EdgeConfig config =
        ConfigLoader.fromText(
                """
                [node]
                hostname = "mail.%s"
                data = "."
                [edge]
                listen = ["127.0.0.1:0"]
                max_message = "16 MiB"
                unlimited_sources = ["127.0.0.0/8"]
                starttls = false
                """
                    .formatted(domain),
                directory)
            .edge();
    Everyone everyone = new Everyone(domain);
    EdgeServer server =
        new EdgeServer(
            config,
            "mail." + domain,
            new EmailAddress("postmaster", domain),
            everyone,
            Checks.inOrder(Checks.Parts.of(everyone)),
            new ToFiles(directory),
            event -> {},
            Clock.systemUTC(),
            () -> {
              throw new IllegalStateException("STARTTLS is not offered");
            });
    server.start();
    return new NextHop(directory, server);
  }

  /** Where it listens. */
  HostPort address() {
    return new HostPort("127.0.0.1", server.ports().getFirst().getPort());
  }

  /** The file of a message that it took. */
  Path file(String id) {
    return directory.resolve(id + ".eml");
  }

  @Override
  public void close() {
    server.close(PATIENCE);
  }

  /** Knows every address of one domain. */
  private static final class Everyone implements Directory {
    private final String domain;
    private final CustomerId customer = CustomerId.create();
    private final MailboxId mailbox = MailboxId.create();

    Everyone(String domain) {
      this.domain = domain;
    }

    @Override
    public RecipientLookup lookup(net.postern.address.EmailAddress address) {
      return address.domain().equals(domain)
          ? new RecipientLookup.Found(new Recipient(address, customer, mailbox))
          : new RecipientLookup.NotOurs();
    }

    @Override
    public Lookup<Optional<CustomerId>> registeredServer(java.net.InetAddress client) {
      return Lookup.of(Optional.empty());
    }
  }

  /** Writes messages to files; a reply goes out when the file is whole. */
  private record ToFiles(Path directory) implements Intake {
    @Override
    public IntakeResult accept(Envelope envelope, byte[] content) {
      MessageId id = MessageId.create();
      Path file = directory.resolve(id + ".eml");
      try {
        Path part = directory.resolve(id + ".part");
        Files.write(part, content);
        Files.move(part, file);
        return new IntakeResult.Accepted(id);
      } catch (IOException e) {
        LOG.warn("the customer's server cannot write {}: {}", file, e.toString());
        return new IntakeResult.Refused(
            451, "4.3.0", "No room for it now", MailEvent.Reason.STORES_UNAVAILABLE);
      }
    }
  }
}
