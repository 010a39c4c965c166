package net.postern.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * A sending server: several connections that send numbered messages, each until it got its {@code
 * 250}, over new connections when one breaks, as RFC 5321 §4.5.4.1 asks of a client. It keeps
 * account of what it was told about each:
 *
 * <ul>
 *   <li><em>acknowledged</em>: a {@code 250} came. The receiver answers for it from here on.
 *   <li><em>in doubt</em>: the connection broke after the end of the message was sent and before a
 *       reply came. The receiver may have it; it is sent again (RFC 1047 describes the dilemma).
 *   <li>anything else: the receiver does not have it, and it is sent again.
 * </ul>
 *
 * <p>Threads: a virtual one for each connection; all methods may be called by any thread.
 */
public final class MailLoad implements AutoCloseable {
  /** The header field with a message's number. */
  public static final String FIELD = "X-Load-Id";

  private static final int CONNECT_MILLIS = 5_000;
  private static final int REPLY_MILLIS = 60_000;
  private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

  /** Turns of a connection that sends nothing any more. */
  private static final int ENDED = Integer.MAX_VALUE;

  /**
   * What to send.
   *
   * @param connections at one time
   * @param messages in all
   * @param bytes of each message, about
   * @param pause of each connection after each message
   */
  public record Plan(
      int connections, int messages, int bytes, Duration pause, String sender, String recipient) {
    public Plan(int connections, int messages, int bytes, String recipient) {
      this(connections, messages, bytes, Duration.ZERO, "load@sender.example", recipient);
    }

    /** The same with a pause of each connection after each message. */
    public Plan pausing(Duration each) {
      return new Plan(connections, messages, bytes, each, sender, recipient);
    }
  }

  private final Supplier<InetSocketAddress> server;
  private final Plan plan;
  private final AtomicInteger next = new AtomicInteger();
  private final Queue<Integer> again = new ConcurrentLinkedQueue<>();
  private final AtomicIntegerArray acknowledged;
  private final AtomicIntegerArray doubts;
  private final AtomicLongArray nanos;
  private final AtomicInteger acknowledgedCount = new AtomicInteger();
  private final AtomicInteger brokenOff = new AtomicInteger();

  /** How often each connection came to the end of what it was doing. */
  private final AtomicIntegerArray turns;

  private final Map<String, AtomicInteger> refusals = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> doubtCauses = new ConcurrentHashMap<>();
  private final List<String> given = new ArrayList<>();
  private final CountDownLatch ended;
  private final String body;
  private final String date =
      DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC));
  private volatile boolean stopped;

  private MailLoad(Supplier<InetSocketAddress> server, Plan plan) {
    this.server = server;
    this.plan = plan;
    this.acknowledged = new AtomicIntegerArray(plan.messages());
    this.doubts = new AtomicIntegerArray(plan.messages());
    this.nanos = new AtomicLongArray(plan.messages());
    this.turns = new AtomicIntegerArray(plan.connections());
    this.ended = new CountDownLatch(plan.connections());
    this.body =
        "The quarterly figures are in the folder that we share, one sheet each.\r\n"
            .repeat(Math.max(1, plan.bytes() / 72));
  }

  /**
   * Begins to send.
   *
   * @param server asked before each connection, since a restarted server may be somewhere else
   */
  public static MailLoad start(Supplier<InetSocketAddress> server, Plan plan) {
    MailLoad load = new MailLoad(server, plan);
    for (int i = 0; i < plan.connections(); i++) {
      int number = i;
      Thread _ = Thread.ofVirtual().name("load-" + i).start(() -> load.work(number));
    }
    return load;
  }

  /** How many messages got their 250. */
  public int acknowledged() {
    return acknowledgedCount.get();
  }

  /** Whether this message got its 250. */
  public boolean isAcknowledged(int id) {
    return acknowledged.get(id) == 1;
  }

  /** How often a connection broke between the end of this message and the reply. */
  public int doubts(int id) {
    return doubts.get(id);
  }

  /** How often that happened to all messages together. */
  public int doubts() {
    int sum = 0;
    for (int i = 0; i < doubts.length(); i++) {
      sum += doubts.get(i);
    }
    return sum;
  }

  /** What broke the connections that left something in doubt, and how often. */
  public Map<String, Integer> doubtCauses() {
    Map<String, Integer> counts = new TreeMap<>();
    doubtCauses.forEach((cause, count) -> counts.put(cause, count.get()));
    return counts;
  }

  /** How often a connection broke, or could not be made, with nothing in doubt. */
  public int brokenOff() {
    return brokenOff.get();
  }

  /** How many replies of each kind were no positive ones: code and enhanced code. */
  public Map<String, Integer> refusals() {
    Map<String, Integer> counts = new TreeMap<>();
    refusals.forEach((reply, count) -> counts.put(reply, count.get()));
    return counts;
  }

  /** How many negative replies began so. */
  public int refusals(String start) {
    return refusals().entrySet().stream()
        .filter(each -> each.getKey().startsWith(start))
        .mapToInt(Map.Entry::getValue)
        .sum();
  }

  /** Messages refused for good (5xx): they are not sent again. */
  public synchronized List<String> refusedForGood() {
    return List.copyOf(given);
  }

  /**
   * The time from MAIL to 250 that this share of the acknowledged messages did not exceed.
   *
   * @param share between 0 and 1
   */
  public Duration latency(double share) {
    long[] sorted = new long[plan.messages()];
    int n = 0;
    for (int id = 0; id < plan.messages(); id++) {
      if (isAcknowledged(id)) {
        sorted[n++] = nanos.get(id);
      }
    }
    if (n == 0) {
      throw new IllegalStateException("nothing was acknowledged");
    }
    Arrays.sort(sorted, 0, n);
    return Duration.ofNanos(sorted[Math.min(n - 1, (int) (n * share))]);
  }

  /**
   * Waits until every message got its 250, or was refused for good.
   *
   * @throws AssertionError when it takes longer
   */
  public void awaitAll(Duration limit) throws InterruptedException {
    if (!ended.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError(
          "only %d of %d messages were acknowledged within %s; refusals: %s"
              .formatted(acknowledged(), plan.messages(), limit, refusals()));
    }
  }

  /**
   * Waits until every connection knows what became of the message that it is sending now, and has
   * counted it. The load goes on.
   *
   * @throws AssertionError when it takes longer
   */
  public void awaitReplies(Duration limit) {
    int[] before = new int[turns.length()];
    Arrays.setAll(before, turns::get);
    Await.until(
        limit,
        () -> {
          for (int i = 0; i < before.length; i++) {
            if (turns.get(i) <= before[i] && turns.get(i) != ENDED) {
              return false;
            }
          }
          return true;
        });
  }

  /** Sends nothing new; waits until the messages under way have their replies. */
  public void stop(Duration limit) throws InterruptedException {
    stopped = true;
    if (!ended.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("the load did not end within " + limit);
    }
  }

  /** Sends nothing new; does not wait. */
  @Override
  public void close() {
    stopped = true;
  }

  // ---- a connection's thread ----

  /** How far a message got. */
  private enum Fate {
    ACKNOWLEDGED,
    AGAIN,
    GIVEN_UP
  }

  private void work(int connection) {
    try {
      while (!stopped) {
        try (Client client = new Client(server.get())) {
          if (!sendOver(client, connection)) {
            return;
          }
        } catch (IOException e) {
          brokenOff.incrementAndGet();
          turns.incrementAndGet(connection);
          LockSupport.parkNanos(RETRY_PAUSE.toNanos());
        }
      }
    } finally {
      turns.set(connection, ENDED);
      ended.countDown();
    }
  }

  /** False when there is nothing more to send. */
  private boolean sendOver(Client client, int connection) throws IOException {
    while (!stopped) {
      int id = take();
      if (id < 0) {
        if (acknowledgedCount.get() + refusedForGood().size() >= plan.messages()) {
          client.quit();
          return false;
        }
        // Others still have some under way that may come back.
        LockSupport.parkNanos(RETRY_PAUSE.toNanos());
        continue;
      }
      long start = System.nanoTime();
      Fate fate = Fate.AGAIN;
      try {
        fate = client.send(id);
      } finally {
        if (fate == Fate.AGAIN) {
          again.add(id);
        }
      }
      if (fate == Fate.ACKNOWLEDGED) {
        nanos.set(id, System.nanoTime() - start);
        acknowledged.set(id, 1);
        acknowledgedCount.incrementAndGet();
        turns.incrementAndGet(connection);
        if (plan.pause().isPositive()) {
          LockSupport.parkNanos(plan.pause().toNanos());
        }
      } else {
        turns.incrementAndGet(connection);
        LockSupport.parkNanos(RETRY_PAUSE.toNanos());
      }
    }
    return false;
  }

  private int take() {
    Integer back = again.poll();
    if (back != null) {
      return back;
    }
    int fresh = next.get();
    while (fresh < plan.messages()) {
      if (next.compareAndSet(fresh, fresh + 1)) {
        return fresh;
      }
      fresh = next.get();
    }
    return -1;
  }

  private final class Client implements AutoCloseable {
    private final Socket socket = new Socket();
    private final InputStream in;
    private final OutputStream out;

    Client(InetSocketAddress address) throws IOException {
      try {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(REPLY_MILLIS);
        socket.connect(address, CONNECT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
        expect("220");
        say("EHLO load.sender.example\r\n");
        expect("250");
      } catch (IOException e) {
        socket.close();
        throw e;
      }
    }

    Fate send(int id) throws IOException {
      say("MAIL FROM:<" + plan.sender() + ">\r\nRCPT TO:<" + plan.recipient() + ">\r\nDATA\r\n");
      String mail = reply();
      if (mail.startsWith("421")) {
        return refused(id, mail);
      }
      String rcpt = reply();
      String data = reply();
      if (!mail.startsWith("2") || !rcpt.startsWith("2") || !data.startsWith("354")) {
        String no = mail.startsWith("2") ? rcpt.startsWith("2") ? data : rcpt : mail;
        if (data.startsWith("354")) {
          throw new IOException("DATA is wanted after " + no);
        }
        return refused(id, no);
      }
      String message = message(id);
      say(message);
      // From here on the receiver may have it.
      String end;
      try {
        say(".\r\n");
        end = reply();
      } catch (IOException e) {
        doubts.incrementAndGet(id);
        doubtCauses.computeIfAbsent(e.toString(), key -> new AtomicInteger()).incrementAndGet();
        throw e;
      }
      return end.startsWith("250") ? Fate.ACKNOWLEDGED : refused(id, end);
    }

    private Fate refused(int id, String reply) throws IOException {
      String kind = reply.length() < 9 ? reply : reply.substring(0, 9).strip();
      refusals.computeIfAbsent(kind, key -> new AtomicInteger()).incrementAndGet();
      if (reply.startsWith("5")) {
        synchronized (MailLoad.this) {
          given.add(id + ": " + reply);
        }
        return Fate.GIVEN_UP;
      }
      if (reply.startsWith("421")) {
        throw new IOException(reply);
      }
      return Fate.AGAIN;
    }

    private String message(int id) {
      return "From: Load <"
          + plan.sender()
          + ">\r\nTo: <"
          + plan.recipient()
          + ">\r\nSubject: Figures of the quarter\r\nDate: "
          + date
          + "\r\n"
          + "Message-ID: <load-"
          + id
          + "@sender.example>\r\nMIME-Version: 1.0\r\n"
          + "Content-Type: text/plain; charset=us-ascii\r\n"
          + FIELD
          + ": "
          + id
          + "\r\n\r\n"
          + body;
    }

    void quit() throws IOException {
      say("QUIT\r\n");
    }

    private void say(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }

    private void expect(String code) throws IOException {
      String reply = reply();
      if (!reply.startsWith(code)) {
        refusals
            .computeIfAbsent(
                reply.substring(0, Math.min(9, reply.length())).strip(), key -> new AtomicInteger())
            .incrementAndGet();
        throw new IOException("expected " + code + ", got " + reply);
      }
    }

    /** The last line of a reply. */
    private String reply() throws IOException {
      while (true) {
        StringBuilder line = new StringBuilder();
        int b;
        while ((b = in.read()) != '\n') {
          if (b < 0) {
            throw new IOException("the connection broke");
          }
          line.append((char) b);
        }
        if (line.length() < 4 || line.charAt(3) != '-') {
          return line.toString().strip();
        }
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
