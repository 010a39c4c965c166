package net.postern.smtp.client;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SmtpConnectorTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @Test
  void anAbortEndsConnectionsThatAreStillBeingOpened() throws Exception {
    try (Deaf server = new Deaf();
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        SmtpConnector connector =
            new SmtpConnector(SmtpClientConfig.of("gate.example", LONG, LONG))) {
      CompletableFuture<ConnectResult> attempt =
          CompletableFuture.supplyAsync(
              () -> connector.connect(server.address(), "mx.example", TlsMode.OFF, LONG), threads);
      assertFalse(attempt.isDone(), "the control: nobody answers");
      connector.abortAll();
      assertInstanceOf(ConnectResult.Failed.class, attempt.get(20, TimeUnit.SECONDS));
    }
  }

  /** Listens with a full queue, so that the kernel drops every further attempt to connect. */
  private static final class Deaf implements AutoCloseable {
    private final ServerSocket listener;
    private final List<Socket> queued = new ArrayList<>();

    Deaf() throws IOException {
      listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      boolean full = false;
      while (!full) {
        assertTrue(queued.size() < 100, "the queue does not fill up");
        Socket socket = new Socket();
        queued.add(socket);
        try {
          socket.connect(address(), 200);
        } catch (SocketTimeoutException e) {
          full = true;
        }
      }
    }

    InetSocketAddress address() {
      return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    @Override
    public void close() throws IOException {
      listener.close();
      for (Socket socket : queued) {
        socket.close();
      }
    }
  }
}
