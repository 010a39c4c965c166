package net.postern.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import net.postern.demo.Demo;
import net.postern.node.StartException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code postern demo}: a whole node on this machine, with sample mail. */
@Command(
    name = "demo",
    description = {
      "Runs a whole node on this machine, sends it sample mail and shows what happened and why;"
          + " then serves on until Ctrl-C."
    },
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
  private CommandSpec spec;

  @Option(
      names = "--once",
      description = "Ends after the checks: 0 when everything was as it has to be, otherwise 1.")
  private boolean once;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Keeps everything there; otherwise a temporary directory is used and removed.")
  private Optional<Path> data = Optional.empty();

  @Override
  public Integer call() {
    try {
      return Demo.run(spec.commandLine().getOut(), data, once) ? Exit.OK : Exit.NEGATIVE;
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    }
  }
}
