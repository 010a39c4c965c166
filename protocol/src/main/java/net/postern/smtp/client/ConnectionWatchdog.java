package net.postern.smtp.client;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends connections whose deadline has passed. One thread for all of them: a blocking write has no
 * time-out of its own, and a timer for each read costs more than a look at a field a few times a
 * second.
 */
final class ConnectionWatchdog implements AutoCloseable {
  private static final long MIN_TICK_MILLIS = 20;
  private static final long MAX_TICK_MILLIS = 500;

  private final Set<SmtpConnection> watched = ConcurrentHashMap.newKeySet();
  private final Set<Socket> connecting = ConcurrentHashMap.newKeySet();
  private volatile boolean aborted;
  private final ScheduledThreadPoolExecutor timer;

  /**
   * @param shortest the shortest time-out in use: it decides how often deadlines are looked at
   */
  ConnectionWatchdog(Duration shortest) {
    timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("smtp-client-watchdog").factory());
    long tick = Math.clamp(shortest.toMillis() / 8, MIN_TICK_MILLIS, MAX_TICK_MILLIS);
    var _ = timer.scheduleWithFixedDelay(this::look, tick, tick, TimeUnit.MILLISECONDS);
  }

  void watch(SmtpConnection connection) {
    watched.add(connection);
  }

  void forget(SmtpConnection connection) {
    watched.remove(connection);
  }

  /**
   * Connects, so that {@link #abortAll} ends this wait too: a server that drops what is sent to it
   * would hold its caller for the whole time-out.
   */
  void connect(Socket socket, SocketAddress address, int millis) throws IOException {
    connecting.add(socket);
    try {
      // After the socket is entered: whoever aborts now has seen it.
      if (aborted) {
        throw new SocketException("no more connections are made");
      }
      socket.connect(address, millis);
    } finally {
      connecting.remove(socket);
    }
  }

  private void look() {
    long now = System.nanoTime();
    for (SmtpConnection connection : watched) {
      connection.endIfOverdue(now);
    }
  }

  /** Ends every connection at once; there will be no further ones. */
  void abortAll() {
    aborted = true;
    for (Socket socket : connecting) {
      try {
        socket.close();
      } catch (IOException e) {
        // A socket that cannot be closed is closed.
      }
    }
    for (SmtpConnection connection : watched) {
      connection.abort();
    }
  }

  @Override
  public void close() {
    abortAll();
    timer.shutdownNow();
  }
}
