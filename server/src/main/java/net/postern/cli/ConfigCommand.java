package net.postern.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import net.postern.config.ConfigDocs;
import net.postern.config.ConfigException;
import net.postern.config.ConfigLoader;
import net.postern.config.ConfigProblem;
import net.postern.edge.check.ChecksDocs;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code postern config}: looks at a configuration without starting anything. */
@Command(
    name = "config",
    description = "Checks a configuration file; writes the page that documents them.",
    mixinStandardHelpOptions = true)
final class ConfigCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
  private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which one: check or docs?");
  }

  @Command(
      name = "check",
      description = "Says everything that is wrong with a configuration file, with its line.",
      mixinStandardHelpOptions = true)
  int check(@Parameters(paramLabel = "FILE", description = "The file.") Path file) {
    PrintWriter out = spec.commandLine().getOut();
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      try {
        ConfigLoader.load(file);
      } catch (ConfigException e) {
        spec.commandLine().getErr().println(e.getMessage());
      }
      return Exit.USAGE;
    }
    try {
      ConfigLoader.load(file);
      out.println(file + ": fine");
      return Exit.OK;
    } catch (ConfigException e) {
      for (ConfigProblem problem : e.problems()) {
        out.println(problem.describe(e.file()));
      }
      return Exit.NEGATIVE;
    }
  }

  @Command(
      name = "docs",
      description =
          "Writes config.md, postern.sample.toml and checks.md from the code, into docs/ of this installation.",
      mixinStandardHelpOptions = true)
  int docs(
      @Option(
              names = "--to",
              paramLabel = "DIR",
              defaultValue = "${sys:postern.home:-.}/docs",
              description = "Another directory.")
          Path directory) {
    ConfigDocs.write(directory);
    ChecksDocs.write(directory);
    PrintWriter out = spec.commandLine().getOut();
    out.println(directory.resolve(ConfigDocs.PAGE));
    out.println(directory.resolve(ConfigDocs.SAMPLE));
    out.println(directory.resolve(ChecksDocs.PAGE));
    return Exit.OK;
  }
}
