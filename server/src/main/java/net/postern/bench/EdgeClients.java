package net.postern.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * Many SMTP clients on one thread. Each connects behind a PROXY header (version 1), waits for every
 * reply, says QUIT and waits until the server has closed. Another one comes as soon as one has
 * ended; where clients have to wait for the greeting they come spread over that time, so that there
 * is no crowd that comes and goes together.
 */
final class EdgeClients {
  private static final Duration SESSION_LIMIT = Duration.ofSeconds(60);

  /** How much faster clients come than the wait for the greeting would let them. */
  private static final double HASTE = 1.25;

  /** Clients that come at once when some are late, in seconds of their pace. */
  private static final double CROWD = 0.02;

  private static final int LINE_START = 4;
  private static final int MAX_SURPRISES = 5;

  /** Parts of the sessions that are not measured: while it fills, and while it empties. */
  private static final double BEGIN = 0.1;

  private static final double END = 0.9;

  /**
   * A command, and how the reply to it has to begin.
   *
   * @param command without line end; empty for the greeting
   */
  record Step(String command, String reply) {}

  /**
   * What one client does.
   *
   * @param source its address
   */
  record Dialogue(String source, List<Step> steps) {}

  /**
   * How it went.
   *
   * @param rate sessions a second that went as they have to, from the moment when a tenth had ended
   *     until nine tenths had
   * @param failed sessions that did not go as they have to
   * @param surprises what the first of these were told, and how often
   * @param cpu that the clients took
   */
  record Outcome(double rate, int failed, Map<String, Integer> surprises, Duration cpu) {}

  private final int port;
  private final int sessions;
  private final int connections;
  private final double pace;
  private final IntFunction<Dialogue> dialogues;
  private final ByteBuffer in = ByteBuffer.allocateDirect(64 * 1024);
  private final ByteBuffer out = ByteBuffer.allocateDirect(4 * 1024);
  private final Map<String, Integer> surprises = new TreeMap<>();
  private final long[] ended;
  private int started;
  private int done;
  private int failed;

  /**
   * @param sessions how many in all
   * @param connections at one time
   * @param waiting whether they have to wait for the greeting
   * @param dialogues by number, from 0
   */
  EdgeClients(
      int port, int sessions, int connections, boolean waiting, IntFunction<Dialogue> dialogues) {
    this.port = port;
    this.sessions = sessions;
    this.connections = connections;
    this.pace = waiting ? HASTE * connections / EdgeWorld.GREET_SECONDS : Double.MAX_VALUE;
    this.dialogues = dialogues;
    this.ended = new long[sessions];
  }

  private static final class Session {
    private final SocketChannel channel;
    private final Dialogue dialogue;
    private final long begun = System.nanoTime();
    private final byte[] line = new byte[LINE_START];
    private int inLine;
    private int step;
    private boolean connected;
    private boolean wrong;

    Session(SocketChannel channel, Dialogue dialogue) {
      this.channel = channel;
      this.dialogue = dialogue;
    }
  }

  /** Runs all sessions. */
  Outcome run(Duration limit) throws BenchException {
    long begun = System.nanoTime();
    long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    try (Selector selector = Selector.open()) {
      long looked = begun;
      long paced = begun;
      double allowed = 1;
      while (done < sessions) {
        long now = System.nanoTime();
        if (now - begun > limit.toNanos()) {
          throw new BenchException(
              "%d of %d sessions ended within %d s; %s"
                  .formatted(done, sessions, limit.toSeconds(), surprises));
        }
        allowed = Math.min(allowed + pace * (now - paced) / 1e9, Math.max(1, pace * CROWD));
        paced = now;
        while (started < sessions && started - done < connections && allowed >= 1) {
          begin(selector, dialogues.apply(started++));
          allowed--;
        }
        if (now - looked > 1_000_000_000L) {
          looked = now;
          giveUpOld(selector, now);
        }
        // Awake often enough to begin more.
        selector.select(this::handle, 2);
      }
    } catch (IOException e) {
      throw new BenchException("the clients failed: " + e, e);
    }
    Duration used =
        Duration.ofNanos(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu);
    int from = (int) (BEGIN * sessions);
    int to = Math.max(from + 1, (int) (END * sessions) - 1);
    double seconds = (ended[to] - ended[from]) / 1e9;
    double well = 1 - (double) failed / sessions;
    return new Outcome(well * (to - from) / seconds, failed, surprises, used);
  }

  private void begin(Selector selector, Dialogue dialogue) throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.configureBlocking(false);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    Session session = new Session(channel, dialogue);
    try {
      boolean connected =
          channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.register(
          selector, connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, session);
      if (connected) {
        introduce(session);
      }
    } catch (IOException e) {
      surprise(session, "cannot connect: " + e.getMessage());
      end(session);
    }
  }

  // proxy-protocol.txt §2.1, version 1.
  private void introduce(Session session) throws IOException {
    session.connected = true;
    send(session, "PROXY TCP4 %s 127.0.0.1 40000 %d".formatted(session.dialogue.source(), port));
  }

  private void handle(SelectionKey key) {
    Session session = (Session) key.attachment();
    try {
      if (key.isConnectable() && session.channel.finishConnect()) {
        key.interestOps(SelectionKey.OP_READ);
        introduce(session);
      } else if (key.isReadable()) {
        read(session);
      }
    } catch (IOException e) {
      surprise(session, "broke off: " + e.getMessage());
      end(session);
    }
  }

  private void read(Session session) throws IOException {
    in.clear();
    int n = session.channel.read(in);
    if (n < 0) {
      if (session.step < session.dialogue.steps().size()) {
        surprise(session, "closed at " + at(session));
      }
      end(session);
      return;
    }
    in.flip();
    while (in.hasRemaining()) {
      byte octet = in.get();
      if (octet == '\n') {
        if (session.inLine < LINE_START || session.line[LINE_START - 1] != '-') {
          replied(session);
        }
        session.inLine = 0;
      } else if (session.inLine < LINE_START) {
        session.line[session.inLine++] = octet;
      }
    }
  }

  private void replied(Session session) throws IOException {
    List<Step> steps = session.dialogue.steps();
    if (session.step >= steps.size()) {
      return;
    }
    String wanted = steps.get(session.step).reply();
    for (int i = 0; i < wanted.length(); i++) {
      if (session.line[i] != wanted.charAt(i)) {
        String got = new String(session.line, 0, LINE_START - 1, StandardCharsets.US_ASCII);
        surprise(session, got + " at " + at(session));
        break;
      }
    }
    session.step++;
    if (session.step < steps.size()) {
      send(session, steps.get(session.step).command());
    }
  }

  private static String at(Session session) {
    String command = session.dialogue.steps().get(session.step).command();
    int space = command.indexOf(' ');
    return session.connected
        ? command.isEmpty() ? "the greeting" : space < 0 ? command : command.substring(0, space)
        : "the connection";
  }

  private void send(Session session, String command) throws IOException {
    out.clear();
    out.put(command.getBytes(StandardCharsets.US_ASCII)).put((byte) '\r').put((byte) '\n').flip();
    session.channel.write(out);
    if (out.hasRemaining()) {
      throw new IOException("the server does not read");
    }
  }

  private void surprise(Session session, String what) {
    session.wrong = true;
    if (surprises.size() < MAX_SURPRISES || surprises.containsKey(what)) {
      surprises.merge(what, 1, Integer::sum);
    }
  }

  private void end(Session session) {
    try {
      session.channel.close();
    } catch (IOException e) {
      surprise(session, "cannot close: " + e.getMessage());
    }
    if (session.wrong) {
      failed++;
    }
    ended[done++] = System.nanoTime();
  }

  private void giveUpOld(Selector selector, long now) {
    for (SelectionKey key : selector.keys()) {
      Session session = (Session) key.attachment();
      if (key.isValid() && now - session.begun > SESSION_LIMIT.toNanos()) {
        surprise(session, "no answer at " + at(session));
        end(session);
      }
    }
  }
}
