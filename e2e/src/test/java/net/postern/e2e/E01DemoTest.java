package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** E01: {@code ./postern demo}, as a new user calls it. */
class E01DemoTest {
  private static final Path HOME = Path.of(System.getProperty("postern.home", "..")).normalize();
  private static final long MAX_SECONDS = 240;

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  private record Outcome(int code, String out) {
    /** Whether a line has these pieces in this order. */
    boolean says(String... pieces) {
      String regex =
          String.join(".*", Stream.of(pieces).map(Pattern::quote).toArray(String[]::new));
      Pattern pattern = Pattern.compile(regex);
      return out.lines().anyMatch(line -> pattern.matcher(line).find());
    }
  }

  /** Runs it; temporary files of the program go below the test's directory. */
  private Outcome demo(String javaOptions, String... arguments)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile(directory, "out", ".txt");
    Process process =
        start(
            javaOptions,
            out,
            Stream.concat(Stream.of("demo"), Stream.of(arguments)).toArray(String[]::new));
    try {
      assertTrue(
          process.waitFor(MAX_SECONDS, TimeUnit.SECONDS),
          () -> "still running: " + readQuietly(out));
    } finally {
      // SIGTERM first: a node that is cut off leaves its database running.
      process.destroy();
      if (!process.waitFor(MAX_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
    return new Outcome(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
  }

  private Process start(String javaOptions, Path out, String... arguments) throws IOException {
    Path temporary = Files.createDirectories(directory.resolve("tmp"));
    List<String> command =
        Stream.concat(
                Stream.of(HOME.toRealPath().resolve("postern").toString()), Stream.of(arguments))
            .toList();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
    builder
        .environment()
        .put("POSTERN_JAVA_OPTS", "-Djava.io.tmpdir=" + temporary + " " + javaOptions);
    return builder.start();
  }

  private static String readQuietly(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void everySampleEndsWhereItHasTo() throws IOException, InterruptedException {
    Outcome demo = demo("", "--once");
    assertEquals(0, demo.code(), demo.out());
    for (String[] row :
        new String[][] {
          {"clean text", "250 2.0.0", "PASS", "delivered", "ok"},
          {"newsletter, attachment", "250 2.0.0", "PASS", "delivered", "ok"},
          {"spam", "250 2.0.0", "FLAG", "delivered, flagged", "ok"},
          {"phishing", "250 2.0.0", "QUARANTINE", "held in quarantine", "ok"},
          {"GTUBE", "550 5.7.1", "REJECT", "refused", "ok"},
          {"EICAR attachment", "550 5.7.1", "REJECT", "refused", "ok"},
          {"unknown recipient", "550 5.1.1", "refused", "ok"},
          {"relay attempt", "550 5.7.1", "refused", "ok"},
          {"oversized", "552 5.3.4", "refused", "ok"},
          {"oversized, said small", "552 5.3.4", "refused", "ok"},
          {"smuggling", "554 5.6.0", "refused", "ok"},
          {"two recipients", "250 2.0.0", "PASS", "delivered", "ok"},
          {"ok", "ledger balance", "6 accepted = 5 delivered + 1 held + 0 waiting"},
          {"ok", "page /health"},
          {"ok", "page /ready"},
          {"ok", "page /metrics"},
          {"ok", "store-1 alone", "5 of 5 messages"},
          {"ok", "store-2 alone", "5 of 5 messages"},
          {"ok", "store-3 alone", "5 of 5 messages"}
        }) {
      assertTrue(demo.says(row), String.join(" ... ", row) + " is not in:\n" + demo.out());
    }
    assertTrue(demo.says("Everything was as expected."), demo.out());
    assertFalse(demo.says("NOT"), demo.out());
    nothingIsLeft();
  }

  /** Neither files nor, since its files are among them, the database. */
  private void nothingIsLeft() throws IOException {
    try (Stream<Path> left = Files.list(directory.resolve("tmp"))) {
      // The JVM's own files of performance counters and the like are not ours.
      assertEquals(
          List.of(),
          left.map(file -> String.valueOf(file.getFileName()))
              .filter(name -> name.startsWith("postern"))
              .toList());
    }
  }

  /** The control of the check of the stores, on a directory that an earlier run left. */
  @Test
  void aDamagedStoreIsSeen() throws IOException, InterruptedException {
    Path data = directory.resolve("data");
    Outcome first = demo("", "--once", "--data", data.toString());
    assertEquals(0, first.code(), first.out());

    Outcome second = demo("-Dpostern.demo.damage=2", "--once", "--data", data.toString());
    assertEquals(1, second.code(), second.out());
    assertTrue(second.says("ok", "store-1 alone", "10 of 10 messages"), second.out());
    assertTrue(second.says("NOT ok", "store-2 alone"), second.out());
    assertFalse(second.says("store-2 alone", "10 of 10 messages"), second.out());
    assertTrue(second.says("ok", "store-3 alone", "10 of 10 messages"), second.out());
    assertTrue(second.says("NOT as expected:"), second.out());
    assertFalse(second.says("Everything was as expected."), second.out());
    for (int store = 1; store <= 3; store++) {
      assertTrue(Files.isDirectory(data.resolve("store-" + store)), "store " + store + " is away");
      assertFalse(Files.exists(data.resolve("store-" + store + ".away")), "store " + store);
    }
  }

  @Test
  void itServesOnUntilItIsStopped() throws IOException, InterruptedException {
    Path out = directory.resolve("serving.txt");
    Process demo = start("", out, "demo");
    try {
      Await.until(
          Duration.ofSeconds(MAX_SECONDS),
          () -> !demo.isAlive() || readQuietly(out).contains("The log of mail follows."));
      Matcher config = Pattern.compile("quarantine list --config (\\S+)").matcher(readQuietly(out));
      assertTrue(config.find(), () -> readQuietly(out));
      Path list = directory.resolve("list.txt");
      Process admin = start("", list, "admin", "quarantine", "list", "--config", config.group(1));
      assertTrue(admin.waitFor(MAX_SECONDS, TimeUnit.SECONDS), "admin is still running");
      assertEquals(0, admin.exitValue(), () -> readQuietly(list));
      assertTrue(readQuietly(list).contains("phishing@sender.example"), () -> readQuietly(list));
    } finally {
      demo.destroy();
    }
    assertTrue(demo.waitFor(MAX_SECONDS, TimeUnit.SECONDS), () -> readQuietly(out));
    assertTrue(readQuietly(out).contains("Stopping ..."), () -> readQuietly(out));
    nothingIsLeft();
  }

  @Test
  void portsInUseArePassedOverAndSaid() throws IOException, InterruptedException {
    // Whoever else has them, they are in use: that they cannot be taken here is as good.
    try (ServerSocket _ = taken(2525);
        ServerSocket _ = taken(8025)) {
      Outcome demo = demo("", "--once");
      assertEquals(0, demo.code(), demo.out());
      assertTrue(demo.says("SMTP on 127.0.0.1:", "another program has 2525"), demo.out());
      assertTrue(demo.says("HTTP on 127.0.0.1:", "another program has 8025"), demo.out());
    }
  }

  private static ServerSocket taken(int port) throws IOException {
    ServerSocket socket = new ServerSocket();
    try {
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
    } catch (IOException e) {
      socket.close();
    }
    return socket;
  }

  @Test
  void aDirectoryOfSomethingElseIsLeftAlone() throws IOException, InterruptedException {
    Path data = Files.createDirectory(directory.resolve("thesis"));
    Path chapter = Files.writeString(data.resolve("chapter-1.txt"), "It was a dark night.");
    Outcome demo = demo("", "--once", "--data", data.toString());
    assertEquals(78, demo.code(), demo.out());
    assertTrue(demo.says("holds files that are not of a demonstration"), demo.out());
    try (Stream<Path> files = Files.list(data)) {
      assertEquals(List.of(chapter), files.toList());
    }
  }
}
