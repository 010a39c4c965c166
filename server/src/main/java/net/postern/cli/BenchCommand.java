package net.postern.cli;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.bench.BenchException;
import net.postern.bench.EdgeBench;
import net.postern.bench.RelayBench;
import net.postern.bench.VaultBench;
import net.postern.blob.S3Settings;
import net.postern.config.ConfigLoader;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code postern bench}: measurements that anyone can repeat. */
@Command(
    name = "bench",
    description = "Measures this program on this machine, beside a peer where one is installed.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "NAME")
final class BenchCommand extends NeedsSubcommand {
  /** Everything else as it is without configuration. */
  private static final String NODE =
      "[node]\nhostname = \"bench.example.com\"\ndata = \"unused\"\n";

  @Command(
      name = "relay",
      description =
          "Messages a second from smtp-source through a node to smtp-sink, and through Postfix.",
      mixinStandardHelpOptions = true)
  int relay(
      @Option(names = "--messages", paramLabel = "N", defaultValue = "20000") int messages,
      @Option(names = "--bytes", paramLabel = "N", defaultValue = "8192") int bytes,
      @Option(names = "--connections", paramLabel = "N", defaultValue = "20") int connections,
      @Option(names = "--rounds", paramLabel = "N", defaultValue = "3") int rounds) {
    if (messages < 1 || bytes < 1 || connections < 1 || rounds < 1) {
      throw new CommandFailure(Exit.USAGE, "every number has to be at least 1");
    }
    try {
      boolean whole =
          new RelayBench(new RelayBench.Load(messages, bytes, connections, rounds), out()).run();
      return whole ? Exit.OK : Exit.NEGATIVE;
    } catch (BenchException e) {
      throw new CommandFailure(Exit.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  @Command(
      name = "edge",
      description = {
        "Clients a second that are refused because block lists name them, and recipients a second",
        "that all checks decide about; through a node, and through Postfix with postscreen."
      },
      mixinStandardHelpOptions = true)
  int edge(
      @Option(names = "--sessions", paramLabel = "N", defaultValue = "10000") int sessions,
      @Option(
              names = "--connections",
              paramLabel = "N",
              split = ",",
              defaultValue = "500,1000,2000,4000,8000",
              description = "At one time, of clients that have to wait; the best of them counts.")
          List<Integer> connections,
      @Option(names = "--rounds", paramLabel = "N", defaultValue = "3") int rounds) {
    EdgeBench.Load load = new EdgeBench.Load(sessions, connections, rounds);
    if (sessions < 10 || rounds < 1 || connections.stream().anyMatch(each -> each < 1)) {
      throw new CommandFailure(Exit.USAGE, "at least 10 sessions, and 1 of everything else");
    }
    if (load.sources() > EdgeBench.MAX_SOURCES) {
      throw new CommandFailure(
          Exit.USAGE,
          "the sessions of all rounds are more than %d, and each has an address of its own"
              .formatted(EdgeBench.MAX_SOURCES));
    }
    try {
      return new EdgeBench(load, out()).run() ? Exit.OK : Exit.NEGATIVE;
    } catch (BenchException e) {
      throw new CommandFailure(Exit.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  @Command(
      name = "vault",
      description = {
        "The vault alone: messages a second by size, bytes written for each byte of mail, and how",
        "long the wait for an acknowledgement is; beside it what the disk alone does."
      },
      mixinStandardHelpOptions = true)
  int vault(
      @Option(
              names = "--bytes",
              paramLabel = "N",
              split = ",",
              defaultValue = "1024,8192,102400,10485760",
              description = "Sizes of messages.")
          List<Integer> bytes,
      @Option(
              names = "--messages",
              paramLabel = "N",
              defaultValue = "0",
              description = "Of each measurement; default: by size.")
          int messages,
      @Option(names = "--senders", paramLabel = "N", defaultValue = "64") int senders,
      @Option(
              names = "--directory",
              paramLabel = "DIR",
              defaultValue = "${sys:java.io.tmpdir}",
              description = "Where the stores are made, and removed: a disk like the real one.")
          Path directory,
      @Option(
              names = "--hang",
              description = "The wait for an acknowledgement while one store does not answer.")
          boolean hang,
      @Option(
              names = "--s3",
              paramLabel = "URL",
              description = {
                "http[s]://HOST[:PORT]/BUCKET of an S3 server, three times. Credentials are in",
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the region in AWS_REGION."
              })
          @Nullable List<URI> endpoints,
      @Option(
              names = "--rate",
              paramLabel = "N",
              split = ",",
              description = "With --s3: counts the requests at these messages a second.")
          @Nullable List<Integer> rates,
      @Option(names = "--seconds", paramLabel = "N", defaultValue = "20") int seconds) {
    if (messages < 0 || senders < 1 || bytes.stream().anyMatch(each -> each < 1)) {
      throw new CommandFailure(Exit.USAGE, "every number has to be at least 1");
    }
    try {
      VaultBench bench =
          new VaultBench(
              bytes, messages, senders, ConfigLoader.fromText(NODE, directory).vault(), out());
      if (endpoints != null) {
        List<S3Settings> stores = stores(endpoints);
        if (rates == null) {
          bench.endpoints(stores);
        } else {
          for (int rate : rates) {
            bench.cost(stores, rate, seconds);
          }
        }
      } else if (hang) {
        bench.hanging(directory);
      } else {
        bench.directories(directory);
      }
      return Exit.OK;
    } catch (BenchException e) {
      throw new CommandFailure(Exit.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  private static List<S3Settings> stores(List<URI> endpoints) {
    List<S3Settings> stores = new ArrayList<>();
    for (URI url : endpoints) {
      String bucket = String.valueOf(url.getPath()).replaceAll("^/|/$", "");
      if (url.getHost() == null || bucket.isEmpty() || bucket.indexOf('/') >= 0) {
        throw new CommandFailure(Exit.USAGE, url + " is not http://HOST:PORT/BUCKET");
      }
      stores.add(
          new S3Settings(
              "store-" + (stores.size() + 1),
              url.resolve("/"),
              environment("AWS_REGION", "us-east-1"),
              bucket,
              "postern-bench-" + UUID.randomUUID() + "/",
              environment("AWS_ACCESS_KEY_ID", ""),
              environment("AWS_SECRET_ACCESS_KEY", ""),
              true,
              Optional.empty(),
              S3Settings.Limits.STANDARD));
    }
    return stores;
  }

  private static String environment(String name, String otherwise) {
    String value = System.getenv().getOrDefault(name, otherwise);
    if (value.isEmpty()) {
      throw new CommandFailure(Exit.USAGE, "set " + name + " to a key of the S3 servers");
    }
    return value;
  }
}
