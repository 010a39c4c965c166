package net.postern.edge;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import net.postern.address.EmailAddress;
import net.postern.config.EdgeConfig;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.edge.check.Checks;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.intake.Intake;
import net.postern.smtp.Reply;
import net.postern.submission.Outbound;
import net.postern.tenant.Directory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens, accepts within limits, and runs a session for each connection.
 *
 * <p>Threads: one for each listening address that accepts, one watchdog, and a virtual thread for
 * each connection. A permit for a connection is taken before it is accepted and given back by the
 * thread that ends it, so no connection is ever uncounted. Some permits over {@code
 * edge.max_connections} exist for telling clients that there is no room; when those are in use too,
 * further clients wait in the kernel's queue.
 */
public final class EdgeServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EdgeServer.class);

  /** Connections over the limit that may be told so at one time. */
  private static final int REFUSAL_PERMITS = 64;

  /** Pause after accept failed, as it does when the process has no file descriptor left. */
  private static final long ACCEPT_PAUSE_MILLIS = 100;

  /** Refused connections of ten seconds that are told of one by one. */
  private static final int TOLD_REFUSALS = 10;

  /** How long a proxy may take for its header. */
  private static final Duration PROXY_PATIENCE = Duration.ofSeconds(10);

  /** How long sessions that were cut may take to notice. */
  private static final Duration CUT_GRACE = Duration.ofSeconds(2);

  /** A listening socket and what it is for. */
  private record Bound(ServerSocket socket, Service service) {}

  private final EdgeContext context;
  private final Gate gate;
  private final ConnectRefusals floods;
  private final ConnectRefusals crowds;
  private final ConnectRefusals full;
  private final LongAdder turnedAway = new LongAdder();
  private final SourceLimits sources;
  private final Semaphore permits;
  private final int allPermits;
  private final AtomicInteger live = new AtomicInteger();
  private final Set<SmtpSession> sessions = ConcurrentHashMap.newKeySet();
  private final Set<Connection> refused = ConcurrentHashMap.newKeySet();
  private final Watchdog watchdog = new Watchdog();
  private final List<Bound> listeners = new ArrayList<>();
  private final List<Thread> acceptors = new ArrayList<>();
  private final CountDownLatch draining = new CountDownLatch(1);

  /**
   * Does not listen yet: see {@link #start}.
   *
   * @param hostname this node's name, for greetings
   * @param postmaster who gets mail for {@code postmaster} without a domain (RFC 5321 §4.5.1)
   * @param checks those that run
   * @param clock for the time of receipt
   * @param tls asked at each STARTTLS, so that a renewed certificate is used at once; not asked
   *     when {@code config.starttls} is off
   */
  public EdgeServer(
      EdgeConfig config,
      String hostname,
      EmailAddress postmaster,
      Directory directory,
      Checks checks,
      Intake intake,
      Events events,
      InstantSource clock,
      Supplier<SSLContext> tls) {
    this(
        config,
        hostname,
        postmaster,
        directory,
        checks,
        intake,
        events,
        clock,
        tls,
        Optional.empty(),
        Gate.OPEN);
  }

  /**
   * The same with sending to others, and with a gate.
   *
   * @param outbound who may send to others; empty where nobody may
   * @param gate asked before anything is done for a connection
   */
  public EdgeServer(
      EdgeConfig config,
      String hostname,
      EmailAddress postmaster,
      Directory directory,
      Checks checks,
      Intake intake,
      Events events,
      InstantSource clock,
      Supplier<SSLContext> tls,
      Optional<Outbound> outbound,
      Gate gate) {
    this.gate = gate;
    this.context =
        new EdgeContext(
            config,
            hostname,
            postmaster,
            directory,
            checks,
            intake,
            events,
            clock,
            tls,
            new ReceiveMemory(config.receiveMemory().bytes()),
            new Tarpit(config.delayedSessions(), draining),
            draining,
            outbound,
            Checks.ofSubmission(directory));
    this.floods = new ConnectRefusals(context, "Too many connections from your network", 1);
    this.crowds =
        new ConnectRefusals(context, "Too many connections from your network", TOLD_REFUSALS);
    this.full =
        new ConnectRefusals(context, "Too many connections, please try again later", TOLD_REFUSALS);
    warnWhenMemoryIsSmall(config.maxMessage().bytes(), context.memory().limit());
    this.sources = new SourceLimits(config.maxConnectionsPerSource(), config.unlimitedSources());
    this.allPermits = config.maxConnections() + REFUSAL_PERMITS;
    this.permits = new Semaphore(allPermits);
  }

  // A message is in memory twice for the moment in which its chunks become one array.
  private static void warnWhenMemoryIsSmall(long maxMessage, long receiveMemory) {
    if (receiveMemory / 2 < maxMessage) {
      LOG.warn(
          "messages of more than {} bytes will get 452: edge.receive_memory is {} bytes, and twice a"
              + " message's size is needed. Give it more, give Java a larger heap (-Xmx), or lower"
              + " edge.max_message ({} bytes).",
          receiveMemory / 2,
          receiveMemory,
          maxMessage);
    }
  }

  /**
   * Opens all listening addresses and begins to accept.
   *
   * @throws ListenException when one cannot be opened; none is open then
   */
  public void start() {
    try {
      EdgeConfig config = context.config();
      open(config.listen(), Service.MX, "edge.listen");
      open(config.submission(), Service.SUBMISSION, "edge.submission");
      open(config.submissions(), Service.SUBMISSIONS, "edge.submissions");
    } catch (ListenException e) {
      closeListeners();
      throw e;
    }
    watchdog.start();
    for (Bound listener : listeners) {
      acceptors.add(
          Thread.ofPlatform()
              .daemon()
              .name("edge-accept-" + listener.socket().getLocalPort())
              .start(() -> acceptAll(listener.socket(), listener.service())));
    }
    LOG.info("receiving mail on {}", ports());
    if (listeners.size() > ports().size()) {
      LOG.info("users send on {} and, with TLS, {}", submission(), submissions());
    }
  }

  private void open(List<HostPort> addresses, Service service, String key) {
    for (HostPort address : addresses) {
      listeners.add(new Bound(Listener.open(address, key), service));
    }
  }

  /** The addresses listened on, in the order of the configuration, with the ports really taken. */
  public List<InetSocketAddress> ports() {
    return ports(Service.MX);
  }

  /** The same for users who log in. */
  public List<InetSocketAddress> submission() {
    return ports(Service.SUBMISSION);
  }

  /** The same with TLS from the first byte. */
  public List<InetSocketAddress> submissions() {
    return ports(Service.SUBMISSIONS);
  }

  private List<InetSocketAddress> ports(Service service) {
    return listeners.stream()
        .filter(each -> each.service() == service)
        .map(each -> (InetSocketAddress) each.socket().getLocalSocketAddress())
        .toList();
  }

  /** Connections now. */
  public int connections() {
    return live.get();
  }

  /** Sessions that are being slowed down now. */
  public int delayedSessions() {
    return context.tarpit().held();
  }

  /** Connections that the gate refused, since the start. */
  public long turnedAway() {
    return turnedAway.sum();
  }

  /** Bytes of messages in memory now, from the first octet to intake's answer. */
  public long receiveMemoryUsed() {
    return context.memory().used();
  }

  /** {@link #close(Duration)} without waiting for transactions. */
  @Override
  public void close() {
    close(Duration.ZERO);
  }

  /**
   * Stops listening and ends sessions: those between transactions get 421 at once, those inside one
   * may finish it within the time given; then all are cut. Returns when it is over; may be called
   * twice.
   */
  public void close(Duration patience) {
    draining.countDown();
    closeListeners();
    acceptors.forEach(Thread::interrupt);
    sessions.forEach(SmtpSession::drain);
    boolean ended = awaitEnd(patience);
    if (!ended) {
      sessions.forEach(SmtpSession::cut);
      refused.forEach(Connection::cut);
      ended = awaitEnd(CUT_GRACE);
    }
    if (!ended) {
      LOG.warn("{} sessions did not end in time", live.get());
    }
    watchdog.stop();
  }

  private boolean awaitEnd(Duration patience) {
    try {
      if (!permits.tryAcquire(allPermits, patience.toMillis(), TimeUnit.MILLISECONDS)) {
        return false;
      }
      permits.release(allPermits);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void closeListeners() {
    for (Bound listener : listeners) {
      try {
        listener.socket().close();
      } catch (IOException e) {
        LOG.warn("closing a listener: {}", e.toString());
      }
    }
  }

  private void acceptAll(ServerSocket listener, Service service) {
    try {
      while (!listener.isClosed()) {
        permits.acquire();
        boolean handedOver = false;
        try {
          Socket socket = listener.accept();
          // Of a proxy nothing is counted: it is asked again for the client that it names.
          if (!isProxy(socket.getInetAddress()) && refuses(socket.getInetAddress())) {
            turnAway(socket);
            continue;
          }
          handedOver = true;
          Thread.ofVirtual().name("edge").start(() -> serve(socket, service));
        } catch (SocketException e) {
          if (!listener.isClosed()) {
            pauseAfter(e);
          }
        } catch (IOException e) {
          pauseAfter(e);
        } finally {
          if (!handedOver) {
            permits.release();
          }
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("stopped accepting");
    }
  }

  // Whatever goes wrong in it, the thread that accepts must live.
  private boolean refuses(InetAddress client) {
    try {
      return gate.refuses(client);
    } catch (RuntimeException e) {
      LOG.error("the gate failed", e);
      return false;
    }
  }

  // The reply fits into the socket's buffer, so nothing waits for the client.
  private void turnAway(Socket socket) {
    turnedAway.increment();
    try (socket) {
      socket.getOutputStream().write(floods.refuse(socket.getInetAddress()).toBytes());
    } catch (IOException e) {
      LOG.debug("one that was turned away has gone already: {}", e.toString());
    }
  }

  private void pauseAfter(IOException e) throws InterruptedException {
    LOG.warn("cannot accept a connection: {}", e.toString());
    if (draining.await(ACCEPT_PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
      LOG.debug("shutting down meanwhile");
    }
  }

  private void serve(Socket socket, Service service) {
    boolean inLimit = live.incrementAndGet() <= context.config().maxConnections();
    InetAddress client = socket.getInetAddress();
    boolean counted = false;
    try (socket) {
      socket.setTcpNoDelay(true);
      Connection connection =
          new Connection(socket, Ticks.nanos(context.config().commandTimeout()));
      watchdog.watch(connection);
      try {
        if (!inLimit) {
          // Whom a proxy stands for is not known yet, and not waited for.
          refuse(connection, full.refuse(client));
          return;
        }
        if (isProxy(client)) {
          Optional<InetAddress> behind = behindProxy(connection);
          if (behind.isEmpty()) {
            return;
          }
          client = behind.get();
          if (refuses(client)) {
            turnedAway.increment();
            refuse(connection, floods.refuse(client));
            return;
          }
        }
        counted =
            sources.enter(
                client, gate.connections(client, context.config().maxConnectionsPerSource()));
        if (!counted) {
          refuse(connection, crowds.refuse(client));
          return;
        }
        converse(connection, service, client);
      } finally {
        watchdog.forget(connection);
      }
    } catch (IOException e) {
      LOG.debug("connection from {} broke off: {}", client, e.toString());
    } catch (RuntimeException | Error e) {
      LOG.error("connection from {} failed", client, e);
    } finally {
      if (counted) {
        sources.leave(client);
      }
      live.decrementAndGet();
      permits.release();
    }
  }

  private boolean isProxy(InetAddress peer) {
    return Network.anyContains(context.config().proxyNetworks(), peer);
  }

  // Nothing is said to who does not begin as a proxy has to: it is no proxy, or speaks of nobody.
  private Optional<InetAddress> behindProxy(Connection connection) {
    try {
      long patience = Ticks.after(PROXY_PATIENCE);
      return Optional.of(
          connection
              .readProxyHeader(Math.min(patience, Ticks.after(context.config().commandTimeout())))
              .source()
              .map(InetSocketAddress::getAddress)
              .orElseGet(connection::client));
    } catch (IOException e) {
      context
          .events()
          .emit(
              new MailEvent.Refused(
                  Stage.CONNECT,
                  Reason.PROXY,
                  421,
                  "4.3.2",
                  "No PROXY header: "
                      + (connection.expired() ? "none came in time" : e.getMessage())
                      + ".",
                  new MailEvent.Peer(connection.client().getHostAddress(), "", ""),
                  "",
                  "",
                  Optional.empty(),
                  context.reference(Reason.PROXY)));
      return Optional.empty();
    }
  }

  private void converse(Connection connection, Service service, InetAddress client) {
    SmtpSession session = new SmtpSession(context, service, connection, client);
    sessions.add(session);
    try {
      session.run();
    } finally {
      sessions.remove(session);
    }
  }

  private void refuse(Connection connection, Reply reply) throws IOException {
    refused.add(connection);
    try {
      connection.reply(reply);
      connection.finish(true);
    } finally {
      refused.remove(connection);
    }
  }
}
