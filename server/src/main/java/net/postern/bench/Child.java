package net.postern.bench;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A program that runs for the time of a measurement, its output in a file. */
final class Child implements AutoCloseable {
  private static final Duration STEP = Duration.ofMillis(2);

  private final Process process;
  private final Path output;
  private final Thread hook;

  private Child(Process process, Path output, Thread hook) {
    this.process = process;
    this.output = output;
    this.hook = hook;
  }

  /** Starts a program. */
  static Child start(Path output, List<String> command) throws BenchException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .start();
      // Also when the measurement is broken off. Some that we start are only the parent of it.
      Thread hook =
          new Thread(
              () -> {
                if (process.isAlive()) {
                  process.descendants().forEach(ProcessHandle::destroy);
                  process.destroy();
                }
              });
      Runtime.getRuntime().addShutdownHook(hook);
      return new Child(process, output, hook);
    } catch (IOException e) {
      throw new BenchException("cannot run " + command.getFirst() + ": " + e.getMessage(), e);
    }
  }

  /** Runs a program to its end; a failure has its output in the message. */
  static void run(Path output, Duration limit, List<String> command) throws BenchException {
    try (Child child = start(output, command)) {
      if (!child.process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new BenchException(
            command.getFirst() + " did not end within " + limit.toSeconds() + " s");
      }
      if (child.process.exitValue() != 0) {
        throw new BenchException(
            "%s ended with %d: %s"
                .formatted(command.getFirst(), child.process.exitValue(), child.text().strip()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchException("interrupted", e);
    }
  }

  /** What it has printed so far. */
  String text() throws BenchException {
    try {
      return Files.readString(output, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new BenchException("cannot read " + output, e);
    }
  }

  boolean alive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** Waits until a condition holds; false when it did not within the limit. */
  static boolean await(Duration limit, BooleanSupplier condition) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      LockSupport.parkNanos(STEP.toNanos());
    }
    return true;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(40, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // It runs already.
    }
  }
}
