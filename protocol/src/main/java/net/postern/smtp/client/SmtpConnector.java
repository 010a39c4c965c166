package net.postern.smtp.client;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import net.postern.smtp.Reply;

/** Opens connections. Safe for many threads; closing it ends all connections it opened. */
public final class SmtpConnector implements AutoCloseable {
  private final SmtpClientConfig config;
  private final SSLContext unauthenticated = SmtpClientConfig.unauthenticated();
  private final ConnectionWatchdog watchdog;

  public SmtpConnector(SmtpClientConfig config) {
    this.config = config;
    this.watchdog = new ConnectionWatchdog(config.replyTimeout());
  }

  /**
   * Connects and says hello.
   *
   * @param address resolved
   * @param serverName the name that a certificate has to carry
   * @param limit bound on all of it, besides those of each step
   */
  public ConnectResult connect(
      InetSocketAddress address, String serverName, TlsMode mode, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    ConnectResult first = attempt(address, serverName, mode, limit);
    // RFC 7435 §3: a handshake that fails is no reason to withhold what would go in the clear.
    if (mode == TlsMode.OPPORTUNISTIC && first instanceof ConnectResult.Untrusted) {
      Duration rest = Duration.ofNanos(end - System.nanoTime());
      return rest.isPositive() ? attempt(address, serverName, TlsMode.OFF, rest) : first;
    }
    return first;
  }

  private ConnectResult attempt(
      InetSocketAddress address, String serverName, TlsMode mode, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    Socket socket = new Socket();
    SmtpConnection connection;
    try {
      socket.setTcpNoDelay(true);
      long wait = Math.min(config.connectTimeout().toMillis(), limit.toMillis());
      watchdog.connect(socket, address, Math.clamp(wait, 1, Integer.MAX_VALUE));
      connection = new SmtpConnection(socket, watchdog, config);
    } catch (IOException e) {
      closeQuietly(socket);
      return new ConnectResult.Failed(
          e instanceof SocketTimeoutException ? "no connection in time" : said(e));
    }
    connection.limit(Duration.ofNanos(end - System.nanoTime()));
    ConnectResult result;
    try {
      result = handshake(connection, serverName, mode);
    } catch (IOException e) {
      result =
          new ConnectResult.Failed(
              connection.isOverdue() ? "the server did not answer in time" : said(e));
    }
    if (!(result instanceof ConnectResult.Connected)) {
      connection.close();
    } else {
      connection.unlimited();
    }
    return result;
  }

  private ConnectResult handshake(SmtpConnection connection, String serverName, TlsMode mode)
      throws IOException {
    Reply greeting = connection.greeting();
    if (greeting.code() != 220) {
      return new ConnectResult.Refused(greeting, "greeting");
    }
    Reply hello = connection.hello();
    if (!hello.positive()) {
      return new ConnectResult.Refused(hello, "HELO");
    }
    if (mode == TlsMode.OFF) {
      return new ConnectResult.Connected(connection);
    }
    if (!connection.capabilities().startTls()) {
      return mode == TlsMode.VERIFIED
          ? new ConnectResult.Untrusted("the server does not offer STARTTLS")
          : new ConnectResult.Connected(connection);
    }
    Reply ready = connection.command("STARTTLS\r\n");
    if (ready.code() != 220) {
      return mode == TlsMode.VERIFIED || !connection.isUsable()
          ? new ConnectResult.Untrusted("the server refused STARTTLS: " + ready)
          : new ConnectResult.Connected(connection);
    }
    boolean verify = mode == TlsMode.VERIFIED;
    try {
      connection.startTls(verify ? config.verifying() : unauthenticated, serverName, verify);
    } catch (IOException e) {
      String why = e instanceof SSLException ? "TLS: " + said(e) : said(e);
      return new ConnectResult.Untrusted(connection.isOverdue() ? "TLS: no answer in time" : why);
    }
    Reply again = connection.hello();
    return again.positive()
        ? new ConnectResult.Connected(connection)
        : new ConnectResult.Refused(again, "HELO after STARTTLS");
  }

  /**
   * Ends all connections, open or being opened, under the threads that use them. Further ones fail
   * at once.
   */
  public void abortAll() {
    watchdog.abortAll();
  }

  @Override
  public void close() {
    watchdog.close();
  }

  private static String said(IOException e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It never was open.
    }
  }
}
