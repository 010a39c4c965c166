package net.postern.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import net.postern.config.ConfigException;
import picocli.CommandLine;

/**
 * Turns what escapes from a command into one clear line and an exit code. A stack trace goes to a
 * file that the line names: it is for those who mend the program, not for those who run it.
 */
final class Failures implements CommandLine.IExecutionExceptionHandler {

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
    PrintWriter err = command.getErr();
    return switch (failure) {
      case CommandFailure known -> {
        err.println("postern: " + known.getMessage());
        yield known.code();
      }
      case ConfigException wrong -> {
        err.println(wrong.getMessage());
        yield Exit.CONFIGURATION;
      }
      case UncheckedIOException taken when taken.getCause() instanceof BindException -> {
        err.println("postern: " + taken.getMessage());
        yield Exit.CONFIGURATION;
      }
      default -> defect(err, failure);
    };
  }

  /** Tells what nobody foresaw. */
  static int defect(PrintWriter err, Throwable failure) {
    err.println("postern: internal error: " + oneLine(failure) + "; " + trace(failure));
    return Exit.INTERNAL;
  }

  private static String oneLine(Throwable failure) {
    String message = failure.getMessage();
    String name = failure.getClass().getSimpleName();
    return message == null ? name : name + ": " + message.lines().findFirst().orElse("").strip();
  }

  private static String trace(Throwable failure) {
    try {
      Path file = Files.createTempFile("postern-error-", ".txt");
      try (PrintWriter out = new PrintWriter(file.toFile(), StandardCharsets.UTF_8)) {
        failure.printStackTrace(out);
      }
      return "the stack trace is in " + file;
    } catch (IOException e) {
      return "its stack trace could not be written: " + e.getMessage();
    }
  }
}
