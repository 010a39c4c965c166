package net.postern.testkit;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Stands before an HTTP server and does to its requests what a test says: lets them through, hangs,
 * cuts the connection before or after, delays, damages, or answers an error by itself. A virtual
 * thread for each connection; the requests are numbered in the order in which they come.
 */
public final class FaultyProxy implements AutoCloseable {
  private static final int MAX_HEAD = 1 << 16;
  private static final int MAX_BODY = 256 << 20;

  /** A request as rules see it. */
  public record Request(int number, String method, String path, int bodyBytes) {}

  /** What becomes of a request. */
  public sealed interface Fault {
    /** Nothing happens to it. */
    record None() implements Fault {}

    /** It is read and never answered, until the fault is changed or the proxy closed. */
    record Hang() implements Fault {}

    /**
     * The connection ends.
     *
     * @param afterwards whether the server gets the request, and only its answer is lost
     */
    record Cut(boolean afterwards) implements Fault {}

    /** It waits, then goes on. */
    record Delay(Duration time) implements Fault {}

    /**
     * One bit of the body is turned round.
     *
     * @param ofAnswer in what the server sends, otherwise in what it gets
     */
    record Corrupt(boolean ofAnswer) implements Fault {}

    /** The proxy answers, and the server gets nothing. */
    record Answer(int status, String code) implements Fault {}
  }

  /** Everything is let through. */
  public static final Fault NONE = new Fault.None();

  private final ServerSocket listener;
  private final InetSocketAddress target;
  private final AtomicInteger numbers = new AtomicInteger();
  private final List<Request> seen = new CopyOnWriteArrayList<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicInteger hanging = new AtomicInteger();

  // Both at once: what hangs waits for the end of the very rule that made it hang.
  private volatile Order order = new Order(request -> NONE);
  private volatile boolean refusing;
  private volatile boolean closed;

  /** A rule, and what is counted down when the next one comes. */
  private record Order(Function<Request, Fault> rule, CountDownLatch over) {
    Order(Function<Request, Fault> rule) {
      this(rule, new CountDownLatch(1));
    }
  }

  /** Starts one before a server. */
  public FaultyProxy(URI server) throws IOException {
    target = new InetSocketAddress(InetAddress.ofLiteral(server.getHost()), server.getPort());
    listener = new ServerSocket(0, 256, InetAddress.ofLiteral("127.0.0.1"));
    Thread.ofVirtual().name("faulty-proxy").start(this::accept);
  }

  /** Where it listens. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  /** Does the same to every request from now on; what hangs goes on. */
  public void fault(Fault next) {
    rule(request -> next);
  }

  /** Asks for each request what is to become of it; what hangs goes on. */
  public synchronized void rule(Function<Request, Fault> next) {
    Order before = order;
    order = new Order(next);
    before.over().countDown();
  }

  /** Whether connections end as soon as they are made, as when no server runs. */
  public void refusing(boolean yes) {
    refusing = yes;
    if (yes) {
      sockets.forEach(FaultyProxy::end);
    }
  }

  /** All requests so far for which the rule was asked. */
  public List<Request> requests() {
    return List.copyOf(seen);
  }

  /** How many requests hang now. */
  public int hanging() {
    return hanging.get();
  }

  @Override
  public void close() throws IOException {
    closed = true;
    listener.close();
    rule(request -> new Fault.Cut(false));
    sockets.forEach(FaultyProxy::end);
  }

  private static void end(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone, which was wanted.
    }
  }

  private void accept() {
    while (!closed) {
      try {
        Socket client = listener.accept();
        if (refusing) {
          client.setSoLinger(true, 0);
          client.close();
        } else {
          sockets.add(client);
          Thread.ofVirtual().start(() -> serve(client));
        }
      } catch (IOException e) {
        // The listener was closed, or a client was gone at once.
      }
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket server = new Socket()) {
      client.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(client.getInputStream(), 1 << 16);
      OutputStream out = new BufferedOutputStream(client.getOutputStream(), 1 << 16);
      while (one(in, out, client, server)) {
        // The next request of a connection that is kept.
      }
    } catch (IOException e) {
      // One side ended, or was made to.
    } finally {
      sockets.remove(client);
    }
  }

  private boolean one(InputStream in, OutputStream out, Socket client, Socket server)
      throws IOException {
    Optional<String> head = head(in);
    if (head.isEmpty()) {
      return false;
    }
    if (header(head.get(), "expect").isPresent()) {
      out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }
    byte[] body = body(in, head.get(), false);
    String[] words = head.get().split(" ", 3);
    Request request = new Request(numbers.incrementAndGet(), words[0], words[1], body.length);
    Order now = order;
    Fault fault = now.rule().apply(request);
    // Whoever sees the request may change the rule: that counts for the next one.
    seen.add(request);
    while (fault instanceof Fault.Hang) {
      hang(now);
      now = order;
      fault = now.rule().apply(request);
    }
    switch (fault) {
      case Fault.None(), Fault.Hang() -> {}
      case Fault.Cut(boolean afterwards) -> {
        if (afterwards) {
          forward(head.get(), body, server);
          answer(server, words[0]);
        }
        client.setSoLinger(true, 0);
        return false;
      }
      case Fault.Delay(Duration time) -> LockSupport.parkNanos(time.toNanos());
      case Fault.Corrupt(boolean ofAnswer) -> {
        if (!ofAnswer && body.length > 0) {
          body[body.length / 2] ^= 1;
        }
      }
      case Fault.Answer(int status, String code) -> {
        out.write(error(status, code, words[0].equals("HEAD")));
        out.flush();
        return true;
      }
    }
    forward(head.get(), body, server);
    Answer answer = answer(server, words[0]);
    if (fault instanceof Fault.Corrupt(boolean ofAnswer) && ofAnswer && answer.body().length > 0) {
      answer.body()[answer.body().length / 2] ^= 1;
    }
    out.write(answer.head().getBytes(StandardCharsets.ISO_8859_1));
    out.write(answer.body());
    out.flush();
    return answer.kept();
  }

  private void hang(Order during) throws IOException {
    hanging.incrementAndGet();
    try {
      if (!during.over().await(120, TimeUnit.SECONDS)) {
        throw new IOException("nobody ended the hang");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } finally {
      hanging.decrementAndGet();
    }
  }

  private void forward(String head, byte[] body, Socket server) throws IOException {
    if (!server.isConnected()) {
      server.connect(target, 10_000);
      server.setTcpNoDelay(true);
      server.setSoTimeout(120_000);
    }
    OutputStream to = server.getOutputStream();
    ByteArrayOutputStream whole = new ByteArrayOutputStream(head.length() + body.length);
    // What was chunked is not any more, and nobody is asked whether to go on.
    whole.writeBytes(
        withLength(without(head, "expect"), body.length).getBytes(StandardCharsets.ISO_8859_1));
    whole.writeBytes(body);
    to.write(whole.toByteArray());
    to.flush();
  }

  private record Answer(String head, byte[] body, boolean kept) {}

  private static Answer answer(Socket server, String method) throws IOException {
    InputStream in = server.getInputStream();
    String head = head(in).orElseThrow(() -> new EOFException("the server ended"));
    String status = head.split(" ", 3)[1];
    if (status.equals("100")) {
      return answer(server, method);
    }
    boolean none = method.equals("HEAD") || status.equals("204") || status.equals("304");
    byte[] body = none ? new byte[0] : body(in, head, true);
    boolean kept =
        header(head, "connection").filter(value -> value.equalsIgnoreCase("close")).isEmpty();
    return new Answer(none ? head : withLength(head, body.length), body, kept);
  }

  private static byte[] error(int status, String code, boolean bare) {
    String body =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code><Message>as ordered</Message></Error>"
            .formatted(code);
    return "HTTP/1.1 %d Ordered\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(status, body.length(), bare ? "" : body)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  // ---- HTTP/1.1, as far as it is needed (RFC 9112) ----

  private static Optional<String> head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream(1024);
    int ends = 0;
    while (ends < 4) {
      int next = in.read();
      if (next < 0) {
        return Optional.empty();
      }
      head.write(next);
      ends = next == (ends % 2 == 0 ? '\r' : '\n') ? ends + 1 : next == '\r' ? 1 : 0;
      if (head.size() > MAX_HEAD) {
        throw new IOException("a head of more than " + MAX_HEAD + " bytes");
      }
    }
    return Optional.of(head.toString(StandardCharsets.ISO_8859_1));
  }

  private static byte[] body(InputStream in, String head, boolean answer) throws IOException {
    if (header(head, "transfer-encoding").filter("chunked"::equalsIgnoreCase).isPresent()) {
      return chunks(in);
    }
    Optional<String> length = header(head, "content-length");
    if (length.isEmpty()) {
      return answer ? in.readNBytes(MAX_BODY) : new byte[0];
    }
    int bytes = Integer.parseInt(length.get());
    if (bytes > MAX_BODY) {
      throw new IOException("a body of more than " + MAX_BODY + " bytes");
    }
    byte[] body = in.readNBytes(bytes);
    if (body.length < bytes) {
      throw new EOFException("the body ends early");
    }
    return body;
  }

  private static byte[] chunks(InputStream in) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      int size = Integer.parseInt(line(in).split(";", 2)[0].strip(), 16);
      byte[] chunk = in.readNBytes(size);
      if (chunk.length < size || body.size() + size > MAX_BODY) {
        throw new EOFException("a chunk ends early, or the body never does");
      }
      body.writeBytes(chunk);
      String after = line(in);
      if (size == 0) {
        while (!after.isEmpty()) {
          after = line(in);
        }
        return body.toByteArray();
      }
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0 || line.length() > MAX_HEAD) {
        throw new EOFException("no end of a line");
      }
      line.append((char) c);
    }
    return line.toString().stripTrailing();
  }

  private static Optional<String> header(String head, String name) {
    return head.lines()
        .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst();
  }

  private static String without(String head, String name) {
    StringBuilder out = new StringBuilder();
    head.lines()
        .filter(line -> !line.toLowerCase(Locale.ROOT).startsWith(name + ":"))
        .forEach(line -> out.append(line).append("\r\n"));
    return out.toString();
  }

  private static String withLength(String head, int length) {
    if (header(head, "content-length").isPresent() || (length == 0 && !isChunked(head))) {
      return head;
    }
    String bare = without(head, "transfer-encoding");
    return bare.substring(0, bare.length() - 2) + "Content-Length: " + length + "\r\n\r\n";
  }

  private static boolean isChunked(String head) {
    return header(head, "transfer-encoding").isPresent();
  }
}
