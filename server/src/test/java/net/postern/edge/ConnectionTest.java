package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.smtp.Reply;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Deadlines, over a real socket. */
class ConnectionTest {
  private static final Reply TIMEOUT = Reply.of(421, "4.4.2", "Timeout");

  /** Far more than any buffers between us hold. */
  private static final long MOST = 1L << 30;

  private final Watchdog watchdog = new Watchdog();
  private final ServerSocket listener = listen();
  private final Socket client = connect();
  private final Socket server = accept();

  private static ServerSocket listen() {
    try {
      return new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Socket connect() {
    try {
      return new Socket(listener.getInetAddress(), listener.getLocalPort());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Socket accept() {
    try {
      return listener.accept();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeEach
  void start() {
    watchdog.start();
  }

  @AfterEach
  void close() throws IOException {
    watchdog.stop();
    client.close();
    server.close();
    listener.close();
  }

  // What a session does that is not spoken to: an hour is what its writes may take.
  private void session() throws IOException {
    Connection connection = new Connection(server, Duration.ofHours(1).toNanos());
    watchdog.watch(connection);
    connection.bound(Ticks.after(Duration.ofMillis(300)), Ticks.NEVER);
    assertEquals(-1, connection.read());
    assertTrue(connection.expired());
    connection.reply(TIMEOUT);
    connection.finish(true);
    watchdog.forget(connection);
  }

  // Until the client's window and our buffer are full. The writer waits until the socket closes.
  private void fill() {
    byte[] much = new byte[64 * 1024];
    AtomicLong written = new AtomicLong();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                while (written.get() < MOST) {
                  server.getOutputStream().write(much);
                  written.addAndGet(much.length);
                }
              } catch (IOException e) {
                written.set(-1);
              }
            });
    long[] before = {-1};
    assertTrue(
        Wait.until(
            Duration.ofSeconds(30),
            () -> {
              boolean stuck = written.get() > 0 && written.get() == before[0];
              before[0] = written.get();
              return stuck;
            }),
        "the client's window has no end");
  }

  @Test
  void whoDoesNotReadIsCutSecondsAfterTheDeadline() throws Exception {
    fill();
    Thread session =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    session();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
    assertTrue(session.join(Duration.ofSeconds(30)), "it still waits for the client to read");
    assertTrue(server.isClosed());
  }

  @Test
  void whoReadsGetsTheLastWord() throws Exception {
    Thread session =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    session();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
    String all = new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertEquals("421 4.4.2 Timeout\r\n", all);
    assertTrue(session.join(Duration.ofSeconds(30)));
  }
}
