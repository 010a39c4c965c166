package net.postern.observe;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import net.postern.config.HostPort;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says over HTTP how the node is.
 *
 * <ul>
 *   <li>{@code /health}: 200 while the process runs; a supervisor that gets no answer restarts it.
 *   <li>{@code /ready}: every named check as JSON; 503 when one of them fails, so that a balancer
 *       sends mail elsewhere.
 *   <li>{@code /metrics}: for Prometheus.
 * </ul>
 *
 * <p>It has no password and is meant for loopback. Each request has a virtual thread; the checks of
 * one request run side by side, each within {@link #CHECK_TIME}.
 */
public final class ObserveServer implements AutoCloseable {
  /** A check that takes longer has failed. */
  public static final Duration CHECK_TIME = Duration.ofSeconds(3);

  private static final Logger LOG = LoggerFactory.getLogger(ObserveServer.class);
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String JSON = "application/json";

  // The format's own type: Prometheus 3 refuses an answer without one.
  private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";
  private static final int BACKLOG = 64;

  private final HttpServer server;
  private final ExecutorService threads;
  private final Map<String, Supplier<Health>> checks;
  private final Supplier<String> metrics;

  private ObserveServer(
      HttpServer server,
      ExecutorService threads,
      Map<String, Supplier<Health>> checks,
      Supplier<String> metrics) {
    this.server = server;
    this.threads = threads;
    this.checks = checks;
    this.metrics = metrics;
  }

  /**
   * Starts it.
   *
   * @param checks in the order in which they are shown; called from any thread, may wait
   * @param metrics the text for {@code /metrics}
   * @throws UncheckedIOException when the address cannot be taken; the message says why and what to
   *     do
   */
  public static ObserveServer start(
      HostPort listen, Map<String, Supplier<Health>> checks, Supplier<String> metrics) {
    HttpServer server = bind(listen);
    ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    ObserveServer observe =
        new ObserveServer(server, threads, new LinkedHashMap<>(checks), metrics);
    server.setExecutor(threads);
    server.createContext("/", observe::answer);
    server.start();
    return observe;
  }

  private static HttpServer bind(HostPort listen) {
    InetSocketAddress address = new InetSocketAddress(listen.host(), listen.port());
    if (address.isUnresolved()) {
      throw new UncheckedIOException(
          "observe.listen: the host " + listen.host() + " is not known here",
          new BindException("unresolved host"));
    }
    try {
      return HttpServer.create(address, BACKLOG);
    } catch (SocketException e) {
      throw new UncheckedIOException(
          "observe.listen: cannot listen on "
              + listen
              + " ("
              + e.getMessage()
              + "); another program has that port, or this machine has no such address",
          e);
    } catch (IOException e) {
      throw new UncheckedIOException("observe.listen: cannot listen on " + listen, e);
    }
  }

  /** The port, which was taken freely when 0 was asked for. */
  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        send(exchange, 405, TEXT, "Only GET and HEAD.\n");
        return;
      }
      switch (exchange.getRequestURI().getPath()) {
        case "/health" -> send(exchange, 200, TEXT, "up\n");
        case "/ready" -> ready(exchange);
        case "/metrics" -> send(exchange, 200, METRICS, metrics.get());
        case null, default ->
            send(exchange, 404, TEXT, "There are /health, /ready and /metrics.\n");
      }
    } catch (RuntimeException e) {
      LOG.error("no answer to {}", exchange.getRequestURI(), e);
    }
  }

  private void ready(HttpExchange exchange) throws IOException {
    Map<String, Future<Health>> running = new LinkedHashMap<>();
    checks.forEach((name, check) -> running.put(name, threads.submit(check::get)));
    long end = System.nanoTime() + CHECK_TIME.toNanos();
    boolean ok = true;
    StringBuilder all = new StringBuilder();
    for (Map.Entry<String, Future<Health>> entry : running.entrySet()) {
      Health health = outcome(entry.getValue(), end);
      ok &= health.ok();
      String one = new JsonFields().flag("ok", health.ok()).text("detail", health.detail()).line();
      all.append(all.isEmpty() ? "\n  " : ",\n  ");
      all.append('"').append(entry.getKey()).append("\": {").append(one).append('}');
    }
    String body = "{\"ready\": " + ok + ", \"checks\": {" + all + "\n}}\n";
    send(exchange, ok ? 200 : 503, JSON, body);
  }

  private static Health outcome(Future<Health> running, long end) {
    try {
      return running.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      running.cancel(true);
      return Health.down("no answer in " + CHECK_TIME.toSeconds() + " s");
    } catch (ExecutionException e) {
      return Health.down(String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Health.down("shutting down");
    }
  }

  private static void send(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }
}
