package net.postern.callout;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import net.postern.dns.Resolver;
import net.postern.smtp.client.ConnectResult;
import net.postern.smtp.client.SmtpClientConfig;
import net.postern.smtp.client.SmtpConnection;
import net.postern.smtp.client.SmtpConnector;
import net.postern.smtp.client.TlsMode;
import net.postern.tenant.Route;

/**
 * Connections to customers' servers, kept for the next question for a while. A connection belongs
 * to whoever took it until it is given back.
 */
final class ServerPool implements AutoCloseable {
  /** Unused connections that are kept for one server. */
  private static final int IDLE = 2;

  private static final long IDLE_NANOS = Duration.ofSeconds(30).toNanos();
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration QUIT = Duration.ofSeconds(2);

  /** Addresses of one server that are tried. */
  private static final int MAX_ADDRESSES = 4;

  /** A server as one asks for it. */
  record Server(Route.Target target, Route.Tls tls) {}

  /** A connection, or why there is none. */
  record Opened(Optional<SmtpConnection> connection, boolean kept, String why) {}

  private record Idle(SmtpConnection connection, long since) {}

  private final Resolver resolver;
  private final SmtpConnector connector;
  private final Map<Server, Deque<Idle>> idle = new ConcurrentHashMap<>();
  private volatile boolean closed;

  ServerPool(String hostname, Duration replyTimeout, Resolver resolver) {
    this.resolver = resolver;
    this.connector = new SmtpConnector(SmtpClientConfig.of(hostname, CONNECT, replyTimeout));
  }

  /**
   * A connection that was kept, or a fresh one.
   *
   * @param fresh whether one that was kept will not do
   */
  Opened open(Server server, boolean fresh, Duration limit) {
    Optional<SmtpConnection> kept = fresh ? Optional.empty() : take(server);
    if (kept.isPresent()) {
      return new Opened(kept, true, "");
    }
    String why = "the name of " + server.target().host() + " has no address";
    long end = System.nanoTime() + limit.toNanos();
    for (InetAddress address : addresses(server.target().host())) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      if (!left.isPositive()) {
        return new Opened(Optional.empty(), false, "no answer in time");
      }
      switch (connector.connect(
          new InetSocketAddress(address, server.target().port()),
          server.target().host(),
          mode(server.tls()),
          left)) {
        case ConnectResult.Connected(SmtpConnection connection) -> {
          return new Opened(Optional.of(connection), false, "");
        }
        case ConnectResult.Refused refused -> why = refused.stage() + ": " + refused.reply();
        case ConnectResult.Failed failed -> why = failed.why();
        case ConnectResult.Untrusted untrusted -> why = untrusted.why();
      }
    }
    return new Opened(Optional.empty(), false, why);
  }

  /** Gives a connection back; one that is of no use any more is closed. */
  void giveBack(Server server, SmtpConnection connection) {
    if (!connection.isUsable() || closed) {
      connection.close();
      return;
    }
    boolean[] room = {false};
    idle.compute(
        server,
        (key, before) -> {
          Deque<Idle> all = before == null ? new ArrayDeque<>() : before;
          room[0] = all.size() < IDLE;
          if (room[0]) {
            all.addLast(new Idle(connection, System.nanoTime()));
          }
          return all;
        });
    if (!room[0]) {
      connection.quit(QUIT);
    }
  }

  private Optional<SmtpConnection> take(Server server) {
    List<Idle> taken = new ArrayList<>();
    idle.computeIfPresent(
        server,
        (key, all) -> {
          if (!all.isEmpty()) {
            taken.add(all.removeLast());
          }
          return all.isEmpty() ? null : all;
        });
    return taken.stream().map(Idle::connection).findFirst();
  }

  /** Says goodbye on connections that nobody used for a while. */
  void tidy() {
    endIdle(each -> System.nanoTime() - each.since() > IDLE_NANOS);
  }

  private void endIdle(Function<Idle, Boolean> which) {
    List<SmtpConnection> old = new ArrayList<>();
    for (Server server : List.copyOf(idle.keySet())) {
      idle.computeIfPresent(
          server,
          (key, all) -> {
            all.removeIf(
                each -> {
                  boolean ends = which.apply(each);
                  if (ends) {
                    old.add(each.connection());
                  }
                  return ends;
                });
            return all.isEmpty() ? null : all;
          });
    }
    old.forEach(each -> each.quit(QUIT));
  }

  private List<InetAddress> addresses(String host) {
    try {
      return List.of(InetAddress.ofLiteral(host));
    } catch (IllegalArgumentException e) {
      // A name then.
    }
    List<InetAddress> all = new ArrayList<>(resolver.a(host).orNone());
    all.addAll(resolver.aaaa(host).orNone());
    return all.size() <= MAX_ADDRESSES ? all : all.subList(0, MAX_ADDRESSES);
  }

  private static TlsMode mode(Route.Tls tls) {
    return switch (tls) {
      case OFF -> TlsMode.OFF;
      case OPPORTUNISTIC -> TlsMode.OPPORTUNISTIC;
      case VERIFIED -> TlsMode.VERIFIED;
    };
  }

  @Override
  public void close() {
    closed = true;
    connector.abortAll();
    endIdle(each -> true);
    connector.close();
  }
}
