package net.postern.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * A foreign program that serves on loopback, with a directory of its own. It ends with the JVM,
 * however that ends: its guard waits for the JVM's end of a pipe to close.
 */
final class Daemon implements AutoCloseable {
  /** Kills the program when its own input ends, or it ends itself. */
  private static final String GUARD =
      "\"$@\" < /dev/null & p=$!; read -r _; kill -9 $p 2> /dev/null; wait $p";

  private final Path directory;
  private final Process guard;
  private final Path log;

  private Daemon(Path directory, Process guard, Path log) {
    this.directory = directory;
    this.guard = guard;
    this.log = log;
  }

  /** Path of a program of the system's; skips the test where it is missing, fails it under CI. */
  static String program(String name, String debianPackage) {
    Optional<Path> found =
        Stream.of("/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin")
            .map(place -> Path.of(place, name))
            .filter(Files::isExecutable)
            .findFirst();
    String missing = name + " is missing: install Debian's " + debianPackage;
    if (found.isEmpty() && "true".equals(System.getenv("CI"))) {
      Assertions.fail("not tested here: " + missing);
    }
    Assumptions.assumeTrue(found.isPresent(), "not tested here: " + missing);
    return found.orElseThrow().toString();
  }

  /** A new directory for one. */
  static Path directory(String name) {
    try {
      return Files.createTempDirectory("postern-" + name + "-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts a program and waits until it works.
   *
   * @param directory for its files; deleted when it is closed
   * @param works whether it answers
   * @throws IllegalStateException with its log when it does not
   */
  static Daemon start(Path directory, Supplier<Boolean> works, String... command) {
    Path log = directory.resolve("log");
    List<String> whole = new ArrayList<>(List.of("sh", "-c", GUARD, "guard"));
    whole.addAll(Arrays.asList(command));
    try {
      Process guard =
          new ProcessBuilder(whole)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      Daemon daemon = new Daemon(directory, guard, log);
      try {
        Await.until(works);
      } catch (AssertionError e) {
        String said = daemon.log();
        daemon.close();
        throw new IllegalStateException(command[0] + " does not work: " + said, e);
      }
      return daemon;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it has written so far. */
  String log() {
    try {
      return Files.exists(log) ? Files.readString(log) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      guard.getOutputStream().close();
      if (!guard.waitFor(10, TimeUnit.SECONDS)) {
        guard.destroyForcibly();
      }
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      guard.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
