package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import net.postern.testkit.IdleConnections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** 10,000 clients that say nothing, on a heap of 512 MB, while mail flows. */
class IdleConnectionsTest {
  private static final int COUNT = 10_000;

  /** Room for everything else in the process; what is measured is far below. */
  private static final long MOST_HEAP_A_CONNECTION = 8 * 1024;

  @Test
  @Timeout(120)
  void tenThousandCostLittle() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                IdleServer.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = process.inputReader(StandardCharsets.US_ASCII)) {
      InetSocketAddress server =
          new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), (int) number(out, "port"));
      long before = heap(process, out);
      try (IdleConnections idle = IdleConnections.open(server, COUNT, Duration.ofSeconds(60))) {
        long after = heap(process, out);
        long each = (after - before) / COUNT;
        System.out.println(COUNT + " idle connections: " + each + " bytes of heap each");
        assertTrue(each < MOST_HEAP_A_CONNECTION, each + " bytes each");
        sendOne(server);
        assertEquals(COUNT, idle.alive());
        assertEquals(COUNT, idle.answering(Duration.ofSeconds(30)));
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static long heap(Process process, BufferedReader out) throws IOException {
    process.getOutputStream().write("heap\n".getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().flush();
    return number(out, "heap");
  }

  /** The number after this word, on the next line that begins with it; logs are passed over. */
  private static long number(BufferedReader out, String word) throws IOException {
    String line;
    while ((line = out.readLine()) != null) {
      if (line.startsWith(word + " ")) {
        return Long.parseLong(line.split(" ")[1]);
      }
    }
    throw new IOException("the server ended");
  }

  private static void sendOne(InetSocketAddress server) throws IOException {
    try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
      socket.setSoTimeout(60_000);
      Dialogue dialogue = new Dialogue(socket);
      dialogue.deliver("text\r\n");
    }
  }
}
