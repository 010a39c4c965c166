package net.postern.testkit;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A receiving server that takes everything and counts the messages of a {@link MailLoad} by their
 * number, keeping nothing else of them. Each is counted everywhere at once. It tells copies apart
 * by the queue id in the topmost Received field: the same id twice is one message delivered twice,
 * another id is one that the client sent twice. A virtual thread for each connection.
 */
public final class MailSink implements AutoCloseable {
  private static final Pattern NUMBER =
      Pattern.compile("^" + MailLoad.FIELD + ": ([0-9]{1,9})\\b", Pattern.MULTILINE);
  private static final Pattern QUEUE_ID = Pattern.compile("\\bid ([0-9a-zA-Z-]+)");
  private static final int MAX_MESSAGE = 1 << 24;

  /**
   * A message that came.
   *
   * @param queueId of the server that sent it on
   * @param nanos {@link System#nanoTime} when its last byte was here, before it was acknowledged
   */
  public record Arrival(int number, String queueId, long nanos) {}

  private final ServerSocket listener;
  private final Map<Integer, List<Arrival>> arrivals = new HashMap<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private int total;
  private int strange;

  private MailSink() throws IOException {
    this.listener = new ServerSocket(0, 500, InetAddress.ofLiteral("127.0.0.1"));
    Thread _ = Thread.ofVirtual().name("sink").start(this::accept);
  }

  /** Listens on a free port of 127.0.0.1. */
  public static MailSink start() throws IOException {
    return new MailSink();
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** How many different messages came. */
  public synchronized int distinct() {
    return arrivals.size();
  }

  /** How many messages came, copies included. */
  public synchronized int total() {
    return total;
  }

  /** How many messages came that no {@link MailLoad} made, such as reports to senders. */
  public synchronized int strange() {
    return strange;
  }

  /** Every arrival of a message, in order; empty when it did not come. */
  public synchronized List<Arrival> arrivals(int number) {
    return List.copyOf(arrivals.getOrDefault(number, List.of()));
  }

  @Override
  public void close() {
    closeQuietly(listener);
    open.forEach(MailSink::closeQuietly);
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        open.add(socket);
        Thread _ = Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream(), 1 << 14);
      OutputStream out = socket.getOutputStream();
      say(out, "220 sink.example ESMTP");
      while (true) {
        String line = line(in);
        switch (line.substring(0, Math.min(4, line.length()))) {
          case "EHLO" -> say(out, "250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME");
          case "DATA" -> {
            say(out, "354 Go on");
            count(content(in));
            say(out, "250 2.0.0 Taken");
          }
          case "QUIT" -> {
            say(out, "221 2.0.0 Bye");
            return;
          }
          default -> say(out, "250 2.0.0 Ok");
        }
      }
    } catch (IOException e) {
      // The client went away, as clients do.
    } finally {
      open.remove(socket);
    }
  }

  private void count(String headers) {
    long now = System.nanoTime();
    Matcher number = NUMBER.matcher(headers);
    Matcher queueId = QUEUE_ID.matcher(headers);
    if (!number.find() || !queueId.find()) {
      countStrange();
      return;
    }
    count(new Arrival(Integer.parseInt(number.group(1)), queueId.group(1), now));
  }

  private synchronized void countStrange() {
    strange++;
  }

  private synchronized void count(Arrival arrival) {
    arrivals.computeIfAbsent(arrival.number(), key -> new ArrayList<>(1)).add(arrival);
    total++;
  }

  /** Reads a message to its end; returns its header section. */
  private static String content(InputStream in) throws IOException {
    ByteArrayOutputStream headers = new ByteArrayOutputStream(2_048);
    boolean inHeaders = true;
    int size = 0;
    // How much of CRLF.CRLF was read; a message begins as if after CRLF.
    int matched = 2;
    int lineBytes = 0;
    while (true) {
      int b = in.read();
      if (b < 0 || ++size > MAX_MESSAGE) {
        throw new IOException("the message broke off");
      }
      matched = matched(matched, b);
      if (matched == 5) {
        return headers.toString(StandardCharsets.ISO_8859_1);
      }
      if (inHeaders) {
        headers.write(b);
        if (b == '\n') {
          inHeaders = lineBytes > 1;
          lineBytes = 0;
        } else {
          lineBytes++;
        }
      }
    }
  }

  private static int matched(int before, int b) {
    return switch (b) {
      case '\r' -> before == 3 ? 4 : 1;
      case '\n' -> before == 1 ? 2 : before == 4 ? 5 : 0;
      case '.' -> before == 2 ? 3 : 0;
      default -> 0;
    };
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    int b;
    while ((b = in.read()) != '\n') {
      if (b < 0) {
        throw new IOException("end of connection");
      }
      line.append((char) b);
    }
    return line.toString().strip();
  }

  private static void say(OutputStream out, String reply) throws IOException {
    out.write((reply + "\r\n").getBytes(StandardCharsets.US_ASCII));
    out.flush();
  }

  private static void closeQuietly(java.io.Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      // It is closed.
    }
  }
}
