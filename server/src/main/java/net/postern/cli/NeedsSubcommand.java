package net.postern.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that does nothing without a subcommand. */
abstract class NeedsSubcommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
  private CommandSpec spec;

  /** Where the command prints. */
  final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  @Override
  public final void run() {
    throw new ParameterException(spec.commandLine(), "Which one?");
  }
}
