package net.postern.cli;

import net.postern.bench.BenchException;
import net.postern.bench.RelayBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code postern bench}: measurements that anyone can repeat. */
@Command(
    name = "bench",
    description = "Measures this program on this machine, beside a peer where one is installed.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "NAME")
final class BenchCommand extends NeedsSubcommand {
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
}
