package net.postern.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Clients that try to do harm, each kind in its own way, over and over until closed or until the
 * time is over. They come from addresses of one loopback network, 127.66.0.0/24, so that what a
 * server counts by source can tell them from well-behaved clients of 127.0.0.1. A virtual thread
 * for each client.
 */
public final class HostileClients implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 20_000;
  private static final int CHUNK = 64 * 1024;

  /** How long a client of no flood waits between its connections. */
  private static final long AGAIN_NANOS = Duration.ofMillis(20).toNanos();

  /** What the network between would let through, of each client. */
  private static final long MOST_BYTES_A_SECOND = 10_000_000;

  /** What they do. */
  public enum Kind {
    /** Connects, and goes away with a reset as soon as it is connected. */
    CONNECT_FLOOD,
    /** Connects and says nothing. */
    HALF_OPEN,
    /** Asks for as many replies as it can and reads none. */
    DEAF,
    /** Sends one byte a second. */
    SLOW,
    /** Sends a line without end. */
    ENDLESS_LINE,
    /** Sends a message whose header has no end. */
    ENDLESS_HEADER,
    /** Sends random bytes before any EHLO. */
    GARBAGE,
    /** Sends commands with STARTTLS in one packet, to be obeyed after the handshake. */
    STARTTLS_INJECTION,
    /** Begins TLS 1.2 and asks for a new handshake again and again. */
    RENEGOTIATION,
    /** Begins TLS handshakes and does not go on. */
    HALF_TLS,
    /** Commands that cost the server something and end nothing. */
    NOOP_FLOOD
  }

  /** What a kind came to. */
  public record Tally(long connections, long bytesSent, long cutOff) {}

  private static final class Count {
    final AtomicLong connections = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong cutOff = new AtomicLong();
  }

  private final InetSocketAddress server;
  private final long end;
  private final Map<Kind, Count> counts = new EnumMap<>(Kind.class);
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger injected = new AtomicInteger();
  private final AtomicInteger renegotiated = new AtomicInteger();
  private volatile boolean closed;

  private HostileClients(InetSocketAddress server, Duration most) {
    this.server = server;
    this.end = System.nanoTime() + most.toNanos();
    for (Kind kind : Kind.values()) {
      counts.put(kind, new Count());
    }
  }

  /**
   * Begins.
   *
   * @param clients of each kind at one time
   * @param most time after which they stop by themselves
   * @param floodPerMinute connections of {@link Kind#CONNECT_FLOOD} a minute, all together
   */
  public static HostileClients start(
      InetSocketAddress server, Map<Kind, Integer> clients, int floodPerMinute, Duration most) {
    HostileClients all = new HostileClients(server, most);
    clients.forEach(
        (kind, count) -> {
          for (int i = 0; i < count; i++) {
            int number = i;
            long pause =
                kind == Kind.CONNECT_FLOOD
                    ? Duration.ofMinutes(1).toNanos() * count / Math.max(1, floodPerMinute)
                    : 0;
            all.threads.add(
                Thread.ofVirtual()
                    .name("hostile-" + kind + "-" + i)
                    .start(() -> all.goOn(kind, number, pause)));
          }
        });
    return all;
  }

  public Tally tally(Kind kind) {
    Count count = count(kind);
    return new Tally(count.connections.get(), count.bytes.get(), count.cutOff.get());
  }

  /** Replies to commands that were injected before TLS: there must be none. */
  public int injected() {
    return injected.get();
  }

  /** New handshakes that the server agreed to: there should be none. */
  public int renegotiated() {
    return renegotiated.get();
  }

  @Override
  public void close() {
    closed = true;
    threads.forEach(Thread::interrupt);
    try {
      for (Thread each : threads) {
        each.join(Duration.ofSeconds(10));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Count count(Kind kind) {
    return java.util.Objects.requireNonNull(counts.get(kind));
  }

  private boolean over() {
    return closed || System.nanoTime() - end > 0;
  }

  private void goOn(Kind kind, int number, long pauseNanos) {
    Random random = new Random(number);
    Count count = count(kind);
    long next = System.nanoTime();
    while (!over()) {
      try (Socket socket = connect(number)) {
        count.connections.incrementAndGet();
        act(kind, socket, random, count);
      } catch (IOException e) {
        count.cutOff.incrementAndGet();
      }
      if (pauseNanos > 0) {
        next += pauseNanos;
        pause(next - System.nanoTime());
      } else {
        // Who is turned away at once does not become a flood of its own, beside the one that is
        // counted.
        pause(AGAIN_NANOS);
      }
    }
  }

  private static void pause(long nanos) {
    if (nanos > 0) {
      LockSupport.parkNanos(nanos);
    }
  }

  private Socket connect(int number) throws IOException {
    Socket socket = new Socket();
    try {
      socket.setReuseAddress(true);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.bind(
          new InetSocketAddress(
              InetAddress.getByAddress(new byte[] {127, 66, 0, (byte) (1 + number % 250)}), 0));
      socket.connect(server, PATIENCE_MILLIS);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private void act(Kind kind, Socket socket, Random random, Count count) throws IOException {
    switch (kind) {
      case CONNECT_FLOOD -> socket.setSoLinger(true, 0);
      case HALF_OPEN -> {
        while (!over() && socket.getInputStream().read() >= 0) {
          // The greeting; then the server waits, and so do we.
        }
      }
      case DEAF -> {
        socket.setReceiveBufferSize(4096);
        repeat(socket, "EHLO deaf.example\r\n".repeat(500), count);
      }
      case SLOW -> {
        say(socket, "EHLO slow.example\r\n", count);
        for (int i = 0; !over(); i++) {
          say(socket, "MAIL FROM:<".charAt(i % 11) + "", count);
          pause(Duration.ofSeconds(1).toNanos());
        }
      }
      case ENDLESS_LINE -> repeat(socket, "x".repeat(CHUNK), count);
      case ENDLESS_HEADER -> {
        say(
            socket,
            "EHLO endless.example\r\nMAIL FROM:<>\r\nRCPT TO:<user@example.com>\r\nDATA\r\n",
            count);
        repeat(socket, ("X-" + "y".repeat(900) + ": z\r\n").repeat(70), count);
      }
      case GARBAGE -> {
        byte[] bytes = new byte[4096];
        for (int i = 0; i < 16 && !over(); i++) {
          random.nextBytes(bytes);
          socket.getOutputStream().write(bytes);
          count.bytes.addAndGet(bytes.length);
        }
        drain(socket);
      }
      case STARTTLS_INJECTION -> inject(socket, count);
      case RENEGOTIATION -> renegotiate(socket, count);
      case HALF_TLS -> {
        InputStream in = new BufferedInputStream(socket.getInputStream());
        reply(in);
        say(socket, "EHLO half.example\r\n", count);
        reply(in);
        say(socket, "STARTTLS\r\n", count);
        reply(in);
        // The beginning of a handshake record, and then nothing.
        socket.getOutputStream().write(new byte[] {0x16, 3, 1, 2, 0, 1});
        drain(socket);
      }
      case NOOP_FLOOD -> {
        say(socket, "EHLO noop.example\r\n", count);
        InputStream in = new BufferedInputStream(socket.getInputStream());
        while (!over()) {
          say(socket, "NOOP\r\nRSET\r\nVRFY x\r\n", count);
          reply(in);
          reply(in);
          reply(in);
        }
      }
    }
  }

  private void inject(Socket socket, Count count) throws IOException {
    InputStream in = new BufferedInputStream(socket.getInputStream());
    reply(in);
    say(socket, "EHLO inject.example\r\n", count);
    reply(in);
    say(socket, "STARTTLS\r\nMAIL FROM:<injected@example.com>\r\n", count);
    String answer = reply(in);
    if (answer.startsWith("220")) {
      try (SSLSocket tls = tls(socket)) {
        tls.startHandshake();
        InputStream secure = new BufferedInputStream(tls.getInputStream());
        say(tls, "NOOP\r\n", count);
        // The first reply inside TLS must be to NOOP, which without EHLO is still 250 2.0.0.
        if (!reply(secure).startsWith("250 2.0.0")) {
          injected.incrementAndGet();
        }
      }
    }
  }

  private void renegotiate(Socket socket, Count count) throws IOException {
    InputStream in = new BufferedInputStream(socket.getInputStream());
    reply(in);
    say(socket, "EHLO again.example\r\n", count);
    reply(in);
    say(socket, "STARTTLS\r\n", count);
    reply(in);
    try (SSLSocket tls = tls(socket)) {
      tls.setEnabledProtocols(new String[] {"TLSv1.2"});
      tls.startHandshake();
      InputStream secure = new BufferedInputStream(tls.getInputStream());
      for (int i = 0; i < 100 && !over(); i++) {
        tls.startHandshake();
        say(tls, "NOOP\r\n", count);
        reply(secure);
        renegotiated.incrementAndGet();
      }
    }
  }

  private static SSLSocket tls(Socket socket) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new Anyone()}, new SecureRandom());
      return (SSLSocket) context.getSocketFactory().createSocket(socket, null, 0, true);
    } catch (java.security.GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /** Attackers do not look at certificates. */
  private static final class Anyone implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  private void repeat(Socket socket, String text, Count count) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    OutputStream out = socket.getOutputStream();
    long begun = System.nanoTime();
    long written = 0;
    while (!over()) {
      out.write(bytes);
      count.bytes.addAndGet(bytes.length);
      written += bytes.length;
      pause(begun + written * 1_000_000_000L / MOST_BYTES_A_SECOND - System.nanoTime());
    }
  }

  private static void say(Socket socket, String text, Count count) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    count.bytes.addAndGet(text.length());
  }

  private void drain(Socket socket) throws IOException {
    byte[] sink = new byte[4096];
    while (!over() && socket.getInputStream().read(sink) >= 0) {
      // Until the server has had enough.
    }
  }

  /** The last line of a reply. */
  private static String reply(InputStream in) throws IOException {
    while (true) {
      StringBuilder line = new StringBuilder();
      int b;
      while ((b = in.read()) != '\n') {
        if (b < 0) {
          throw new IOException("cut off");
        }
        line.append((char) b);
      }
      if (line.length() < 4 || line.charAt(3) != '-') {
        return line.toString();
      }
    }
  }
}
