package net.postern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.postern.config.ConfigException;
import net.postern.config.ConfigProblem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  @Test
  void helpNamesTheCommandsAndExitCodes() {
    assertEquals(Exit.OK, run("--help"));
    assertTrue(out.toString().contains("config"), out.toString());
    assertTrue(out.toString().contains("78"), out.toString());
    assertEquals("", err.toString());
  }

  @Test
  void versionSaysWhatRuns() {
    assertEquals(Exit.OK, run("--version"));
    assertTrue(out.toString().startsWith("Postern "), out.toString());
    assertTrue(out.toString().contains("Java " + Runtime.version()), out.toString());
  }

  @Test
  void nothingAndNonsenseAreUsageErrors() {
    assertEquals(Exit.USAGE, run());
    assertTrue(err.toString().contains("Which command?"), err.toString());
    assertEquals(Exit.USAGE, run("dance"));
    assertEquals(Exit.USAGE, run("config"));
    assertEquals(Exit.USAGE, run("config", "check"));
    assertEquals("", out.toString());
  }

  @Test
  void configCheckPraisesAGoodFile() throws IOException {
    Path file = directory.resolve("postern.toml");
    Files.writeString(file, "[node]\nhostname = \"mx.example.com\"\ndata = \"data\"\n");
    assertEquals(Exit.OK, run("config", "check", file.toString()));
    assertEquals(file + ": fine", out.toString().strip());
  }

  @Test
  void configCheckTellsEveryProblemWithItsLine() throws IOException {
    Path file = directory.resolve("postern.toml");
    Files.writeString(file, "[node]\nhostname = \"mx.example.com\"\nport = 25\n");
    assertEquals(Exit.NEGATIVE, run("config", "check", file.toString()));
    List<String> lines = out.toString().lines().toList();
    assertEquals(2, lines.size(), out.toString());
    assertTrue(lines.get(0).startsWith(file + ":1: node.data: is missing"), lines.get(0));
    assertTrue(lines.get(1).startsWith(file + ":3: node.port: no such key"), lines.get(1));
  }

  @Test
  void configCheckOfNoFileIsAUsageError() {
    Path file = directory.resolve("none.toml");
    assertEquals(Exit.USAGE, run("config", "check", file.toString()));
    assertTrue(err.toString().startsWith(file + ": no such file"), err.toString());
  }

  @Test
  void configDocsWritesWhereItIsTold() {
    assertEquals(Exit.OK, run("config", "docs", "--to", directory.toString()));
    assertTrue(Files.exists(directory.resolve("config.md")));
    assertTrue(Files.exists(directory.resolve("postern.sample.toml")));
  }

  @Test
  void failuresAreOneLineAndACode() throws IOException {
    assertEquals(Exit.USAGE, fail(new CommandFailure(Exit.USAGE, "no such customer")));
    assertEquals("postern: no such customer", err.toString().strip());

    err.getBuffer().setLength(0);
    assertEquals(
        Exit.CONFIGURATION,
        fail(new ConfigException("a.toml", List.of(new ConfigProblem(3, 1, "edge", "bad")))));
    assertEquals("a.toml:3: edge: bad", err.toString().strip());

    err.getBuffer().setLength(0);
    assertEquals(
        Exit.CONFIGURATION,
        fail(new UncheckedIOException("port 25 is in use", new BindException("in use"))));
    assertEquals("postern: port 25 is in use", err.toString().strip());

    err.getBuffer().setLength(0);
    assertEquals(Exit.INTERNAL, fail(new IllegalStateException("the world is upside down")));
    String line = err.toString().strip();
    assertEquals(1, line.lines().count(), line);
    assertTrue(line.startsWith("postern: internal error: IllegalStateException: the world"), line);
    assertFalse(line.contains("\tat "), line);
    Path trace = Path.of(line.substring(line.indexOf(" is in ") + " is in ".length()));
    assertTrue(Files.readString(trace).contains("upside down"));
    Files.delete(trace);
  }

  private int fail(RuntimeException failure) {
    return new CommandLine(new Failing(failure))
        .setErr(new PrintWriter(err, true))
        .setExecutionExceptionHandler(new Failures())
        .execute();
  }

  @Command(name = "failing")
  private record Failing(RuntimeException failure) implements Runnable {
    @Override
    public void run() {
      throw failure;
    }
  }
}
