package net.postern.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * How many clients a second are refused because block lists name them, and how many recipients a
 * second are decided about with all checks, beside Postfix with postscreen. Clients come from many
 * addresses, behind a PROXY header; both servers ask the same name server. Rounds of both
 * alternate, so that both see the same machine.
 *
 * <p>Both let a client that they do not know wait for the greeting, for the same time. That costs
 * no processor, only connections: before it counts, each server is tried with more and more of
 * them, and keeps the number with which it did best. With that it goes on until a session does not
 * cost it less than in the round before: compilers need their time.
 */
public final class EdgeBench {
  private static final Duration ROUND_LIMIT = Duration.ofMinutes(10);

  /** Sessions that may go wrong, of a hundred. */
  private static final int TOLERATED_PERCENT = 1;

  /** Clients at one time that do not have to wait. */
  private static final int KNOWN_CONNECTIONS = 50;

  /** Addresses that are known to both servers, at most. */
  private static final int KNOWN_SOURCES = 5_000;

  /**
   * Rounds at most for each that counts, before those, until a server does not become quicker any
   * more.
   */
  private static final int MAX_WARM_UPS = 2;

  /** Part of the processor time of the round before from which on that is so. */
  private static final double WARM = 0.95;

  /** How often clients that have to wait come and go in a round. */
  private static final int TURNS = 4;

  /** Recipients of a session. */
  private static final int RECIPIENTS = 3;

  /**
   * The load.
   *
   * @param sessions of one round, at least; see {@link #sessions(int)}
   * @param connections that are tried, in order, for clients that have to wait
   * @param rounds that count
   */
  public record Load(int sessions, List<Integer> connections, int rounds) {
    public Load {
      connections = List.copyOf(connections);
    }

    /**
     * Sessions of a round of clients that have to wait: those that are there at one time come and
     * go several times, else it is measured how one crowd leaves.
     */
    int sessions(int atOnce) {
      return Math.max(sessions, TURNS * atOnce);
    }

    /** Addresses that both servers see: those that they know, and those that come once. */
    public long sources() {
      int most = connections.stream().mapToInt(this::sessions).max().orElse(sessions);
      return known() + (long) most * (rounds + connections.size() + warmUps());
    }

    private int warmUps() {
      return MAX_WARM_UPS * rounds;
    }

    private int known() {
      return Math.min(KNOWN_SOURCES, sessions);
    }
  }

  /** Most of {@link Load#sources}. */
  public static final int MAX_SOURCES = EdgeWorld.MAX_SOURCES;

  /**
   * What clients do.
   *
   * @param title of what is counted
   * @param each how many of these a session has
   * @param waiting whether the clients are new, and have to wait
   * @param dialogues by number
   */
  private record Kind(
      String title, int each, boolean waiting, IntFunction<EdgeClients.Dialogue> dialogues) {}

  private final List<Kind> kinds =
      List.of(
          new Kind("refused clients", 1, true, EdgeBench::refused),
          new Kind("recipients of new clients", RECIPIENTS, true, this::fresh),
          new Kind("recipients of known clients", RECIPIENTS, false, this::known));

  private static final Kind INTRODUCTION = new Kind("", 1, true, EdgeBench::introduced);

  /**
   * Figures of one round; times in microseconds of processor for each session.
   *
   * @param right whether nearly all sessions went as they have to; the others are not in the rate
   */
  private record Figures(double rate, double server, double names, double clients, boolean right) {}

  private final Load load;
  private final PrintWriter out;

  public EdgeBench(Load load, PrintWriter out) {
    this.load = load;
    this.out = out;
  }

  /**
   * Measures and prints.
   *
   * @return true when this program answered as it has to
   * @throws BenchException when it cannot be measured here
   */
  public boolean run() throws BenchException {
    if (!NameServer.possible()) {
      throw new BenchException(
          "this needs unbound (on Debian: apt install unbound) and root, for port 53");
    }
    boolean peer = PostfixEdge.possible();
    if (!peer) {
      out.println("Postfix is not installed: no comparison");
    }
    Path directory = BenchFiles.make();
    try (NameServer names =
            NameServer.start(directory, EdgeWorld.zones(Math.toIntExact(load.sources())));
        PosternEdge postern = PosternEdge.start(directory, names.address())) {
      if (!peer) {
        return measure(names, List.of(postern));
      }
      try (PostfixEdge postfix = PostfixEdge.start(directory, names.host())) {
        return measure(names, List.of(postern, postfix));
      }
    } finally {
      BenchFiles.delete(directory);
    }
  }

  // RFC 5321 §3.1 to §3.3.
  private static EdgeClients.Dialogue refused(int n) {
    return new EdgeClients.Dialogue(
        EdgeWorld.listed(n),
        List.of(
            new EdgeClients.Step("", "220"),
            new EdgeClients.Step("EHLO pool" + n + ".dynamic.example", "250"),
            new EdgeClients.Step("MAIL FROM:<" + EdgeWorld.sender(n) + ">", "250"),
            new EdgeClients.Step("RCPT TO:<" + EdgeWorld.user(n) + ">", "55"),
            new EdgeClients.Step("QUIT", "221")));
  }

  // Known sources have the first numbers.
  private EdgeClients.Dialogue fresh(int n) {
    return asked(load.known() + n, n);
  }

  private EdgeClients.Dialogue known(int n) {
    return asked(n % load.known(), n);
  }

  // Those that exist first: who begins with one that does not may be a harvester.
  private static EdgeClients.Dialogue asked(int source, int n) {
    return new EdgeClients.Dialogue(
        EdgeWorld.clean(source),
        List.of(
            new EdgeClients.Step("", "220"),
            new EdgeClients.Step("EHLO " + EdgeWorld.cleanName(source), "250"),
            new EdgeClients.Step("MAIL FROM:<" + EdgeWorld.sender(n) + ">", "250"),
            new EdgeClients.Step("RCPT TO:<" + EdgeWorld.user(n) + ">", "250"),
            new EdgeClients.Step("RCPT TO:<" + EdgeWorld.user(n + 1) + ">", "250"),
            new EdgeClients.Step("RCPT TO:<nobody" + n + "@" + EdgeWorld.DOMAIN + ">", "550"),
            new EdgeClients.Step("QUIT", "221")));
  }

  private static EdgeClients.Dialogue introduced(int n) {
    return new EdgeClients.Dialogue(
        EdgeWorld.clean(n),
        List.of(
            new EdgeClients.Step("", "220"),
            new EdgeClients.Step("EHLO " + EdgeWorld.cleanName(n), "250"),
            new EdgeClients.Step("QUIT", "221")));
  }

  private boolean measure(NameServer names, List<Edge> edges) throws BenchException {
    out.printf(
        "%d sessions a round or more, %d processors; for each second, and in brackets connections at a time"
            + " and microseconds of processor for a session: server + name server + clients%n",
        load.sessions(), Runtime.getRuntime().availableProcessors());
    boolean right = true;
    for (Kind kind : kinds) {
      List<Contest> contests = new ArrayList<>();
      for (Edge edge : edges) {
        contests.add(new Contest(kind, names, edge));
      }
      for (Contest contest : contests) {
        contest.warmUp();
      }
      for (int round = 1; round <= load.rounds(); round++) {
        List<String> parts = new ArrayList<>();
        for (Contest contest : contests) {
          parts.add(contest.shown(contest.round(), contest.connections));
        }
        print("round %d, %s: %s".formatted(round, kind.title(), String.join(", ", parts)));
      }
      // What a peer does wrong is told, and nothing that we could mend.
      right &= contests.getFirst().counted.stream().allMatch(Figures::right);
      conclude(kind, contests);
    }
    print(right ? "Postern answered as it has to" : "NOT all were answered as they have to be");
    return right;
  }

  private void print(String line) {
    out.println(line);
    out.flush();
  }

  private void conclude(Kind kind, List<Contest> contests) {
    List<String> parts = new ArrayList<>();
    List<Double> medians = new ArrayList<>();
    for (Contest contest : contests) {
      double median = Medians.of(contest.counted.stream().map(Figures::rate).toList());
      double cpu = Medians.of(contest.counted.stream().map(Figures::server).toList());
      medians.add(median);
      parts.add(String.format(Locale.ROOT, "%s %.0f (%.0f us)", contest.edge.name(), median, cpu));
    }
    if (medians.size() == 2) {
      parts.add(String.format(Locale.ROOT, "ratio %.2f", medians.getFirst() / medians.getLast()));
    }
    print("%s a second: %s (medians)".formatted(kind.title(), String.join(", ", parts)));
  }

  /** One server's part in one kind of load. */
  private final class Contest {
    private final Kind kind;
    private final NameServer names;
    private final Edge edge;
    private final List<Figures> counted = new ArrayList<>();
    private int connections = KNOWN_CONNECTIONS;
    private int next;

    Contest(Kind kind, NameServer names, Edge edge) {
      this.kind = kind;
      this.names = names;
      this.edge = edge;
    }

    void warmUp() throws BenchException {
      if (!kind.waiting()) {
        // Not until it is warm: who asks for those that do not exist again and again is blocked.
        run(INTRODUCTION, load.known(), load.connections().getFirst(), 0);
        run(kind, load.sessions(), connections, 0);
        return;
      }
      double best = 0;
      for (int tried : load.connections()) {
        Figures figures = round(tried);
        print(kind.title() + ", tried: " + shown(figures, tried));
        if (figures.right() && figures.rate() > best) {
          best = figures.rate();
          connections = tried;
        }
      }
      if (best == 0) {
        connections = load.connections().getFirst();
      }
      warm();
    }

    // A server runs for months; what its first minute costs is told by the trials.
    private void warm() throws BenchException {
      double before = Double.MAX_VALUE;
      double now = Double.MAX_VALUE / 2;
      for (int i = 0; i < load.warmUps() && now < WARM * before; i++) {
        before = now;
        now = round(connections).server();
      }
    }

    Figures round() throws BenchException {
      Figures figures = round(connections);
      counted.add(figures);
      return figures;
    }

    private Figures round(int atOnce) throws BenchException {
      int sessions = kind.waiting() ? load.sessions(atOnce) : load.sessions();
      Figures figures = run(kind, sessions, atOnce, next);
      next += sessions;
      return figures;
    }

    String shown(Figures figures, int atOnce) {
      return String.format(
          Locale.ROOT,
          "%s %.0f (%d; %.0f+%.0f+%.0f us)",
          edge.name(),
          figures.rate(),
          atOnce,
          figures.server(),
          figures.names(),
          figures.clients());
    }

    private Figures run(Kind what, int sessions, int atOnce, int first) throws BenchException {
      Duration server = CpuTime.ofTree(edge.pid());
      Duration asked = CpuTime.ofTree(names.pid());
      EdgeClients.Outcome outcome =
          new EdgeClients(
                  edge.port(),
                  sessions,
                  atOnce,
                  what.waiting(),
                  n -> what.dialogues().apply(first + n))
              .run(ROUND_LIMIT);
      server = CpuTime.ofTree(edge.pid()).minus(server);
      asked = CpuTime.ofTree(names.pid()).minus(asked);
      if (outcome.failed() > 0) {
        print(
            "%s: %d of %d sessions went wrong: %s"
                .formatted(edge.name(), outcome.failed(), sessions, outcome.surprises()));
      }
      return new Figures(
          outcome.rate() * what.each(),
          each(server, sessions),
          each(asked, sessions),
          each(outcome.cpu(), sessions),
          outcome.failed() * 100L <= (long) TOLERATED_PERCENT * sessions);
    }
  }

  private static double each(Duration cpu, int sessions) {
    return cpu.toNanos() / 1e3 / sessions;
  }
}
