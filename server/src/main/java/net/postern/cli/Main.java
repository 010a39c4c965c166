package net.postern.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import net.postern.observe.Logging;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code postern} command. */
@Command(
    name = "postern",
    description = "A mail gateway that keeps every message three times.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      StartCommand.class,
      ScanCommand.class,
      AdminCommand.class,
      VaultCommand.class,
      BenchCommand.class,
      ConfigCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      " 0:Done, and the outcome is good",
      " 1:Done, and the outcome is not good",
      " 2:Wrong command line, or input that cannot be read",
      "69:No JDK or Maven here (from the postern script)",
      "70:A defect of the program",
      "78:Wrong configuration, or one that this machine does not allow"
    })
public final class Main implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
  private CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    Logging.quiet();
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> LOG.error("the thread {} ended", thread.getName(), failure));
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    int code = run(out, err, args);
    out.flush();
    err.flush();
    Logging.stop();
    System.exit(code);
  }

  /** Runs a command as the shell would, without ending the process. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    try {
      return new CommandLine(new Main())
          .setOut(out)
          .setErr(err)
          .setCaseInsensitiveEnumValuesAllowed(true)
          .setExecutionExceptionHandler(new Failures())
          .execute(args);
    } catch (Error e) {
      // The library hands on exceptions only.
      return Failures.defect(err, e);
    }
  }

  /** {@code postern} alone: what there is to choose from. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which command?");
  }

  /** The version that Maven wrote into the jar. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "Postern " + (version == null ? "(not packaged)" : version),
        "Java " + Runtime.version() + " on " + System.getProperty("os.name")
      };
    }
  }
}
