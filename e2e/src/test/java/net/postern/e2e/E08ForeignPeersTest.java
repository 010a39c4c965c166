package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.testkit.Await;
import net.postern.testkit.Ports;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Load from and to programs that others wrote: Postfix's smtp-source sends through the node to
 * Postfix's smtp-sink, over 20 connections.
 */
@Isolated("it measures")
class E08ForeignPeersTest {
  private static final int CONNECTIONS = 20;
  private static final int BYTES = 8_192;
  private static final int MOST_PORTS = 5;
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Pattern COUNT = Pattern.compile("mesg=(\\d+)");

  @Test
  void twoThousandMessages() throws IOException, InterruptedException {
    relay(2_000);
  }

  @Test
  @Tag("long")
  void twentyThousandMessages() throws IOException, InterruptedException {
    relay(20_000);
  }

  private static void relay(int messages) throws IOException, InterruptedException {
    String source = Machine.program("smtp-source", "postfix");
    try (NodeProcess node = NodeProcess.fresh("e08");
        Sink sink = Sink.start(node.directory())) {
      node.start();
      node.routeTo(sink.port());
      long start = System.nanoTime();
      Process sender =
          new ProcessBuilder(
                  source,
                  "-s",
                  "" + CONNECTIONS,
                  "-l",
                  "" + BYTES,
                  "-m",
                  "" + messages,
                  "-f",
                  "load@sender.example",
                  "-t",
                  "user@" + NodeProcess.DOMAIN,
                  "inet:127.0.0.1:" + node.smtp().getPort())
              .redirectErrorStream(true)
              .redirectOutput(node.directory().resolve("source.txt").toFile())
              .start();
      try {
        assertTrue(sender.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), "smtp-source runs on");
      } finally {
        sender.destroyForcibly();
      }
      double sent = (System.nanoTime() - start) / 1e9;
      assertEquals(
          0, sender.exitValue(), () -> "smtp-source says " + read(node.directory(), "source.txt"));
      Await.until(PATIENCE, () -> sink.count() >= messages);
      double delivered = (System.nanoTime() - start) / 1e9;
      String ledger = E02CrashTest.untilNothingWaits(node);
      assertTrue(ledger.contains("balance: 0"), ledger);
      String row = ledger.lines().filter(each -> each.startsWith("acme")).findFirst().orElse("");
      assertEquals("" + messages, row.strip().split("\\s+")[1], ledger);
      assertEquals(messages, sink.count(), "smtp-sink counts");

      assertEquals(0, node.stop(PATIENCE), node::endOfLog);
      assertEquals("", StoreFiles.difference(node.stores()));
      for (Path store : node.stores()) {
        long bytes = StoreFiles.files(store).values().stream().mapToLong(each -> each.length).sum();
        assertTrue(bytes > (long) messages * BYTES, store + " holds " + bytes + " bytes");
      }
      System.out.println(
          "E08: %d messages of 8 KB from smtp-source over %d connections to smtp-sink, 0 lost, 0 twice; accepted at %.0f/s, delivered at %.0f/s; three equal stores; balance 0"
              .formatted(messages, CONNECTIONS, messages / sent, messages / delivered));
    }
  }

  private static String read(Path directory, String name) {
    try {
      return Files.readString(directory.resolve(name));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** A running smtp-sink, which prints how many messages it took. */
  private record Sink(Process process, int port, Path directory) implements AutoCloseable {

    /** It takes no port 0, so it is given one that is free: tried again when that is not so. */
    static Sink start(Path directory) throws IOException {
      String program = Machine.program("smtp-sink", "postfix");
      for (int i = 0; i < MOST_PORTS; i++) {
        Sink sink = tryStart(program, directory);
        Await.until(PATIENCE, () -> sink.listens() || !sink.process().isAlive());
        if (sink.process().isAlive()) {
          return sink;
        }
        String said = read(directory, "sink.txt");
        assertTrue(said.contains("in use"), () -> "smtp-sink says " + said);
      }
      throw new AssertionError("no port is free for smtp-sink");
    }

    private static Sink tryStart(String program, Path directory) throws IOException {
      int port = Ports.free();
      java.util.List<String> command = new java.util.ArrayList<>();
      command.add(program);
      if ("root".equals(System.getProperty("user.name"))) {
        command.add("-u");
        command.add("postfix");
      }
      command.add("-c");
      command.add("127.0.0.1:" + port);
      command.add("500");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("sink.txt").toFile())
              .start();
      return new Sink(process, port, directory);
    }

    private boolean listens() {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), 1_000);
        return true;
      } catch (IOException e) {
        return false;
      }
    }

    int count() {
      String text = read(directory, "sink.txt");
      Matcher counts = COUNT.matcher(text.substring(Math.max(0, text.length() - 200)));
      int last = 0;
      while (counts.find()) {
        last = Integer.parseInt(counts.group(1));
      }
      return last;
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }
}
