package net.postern.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.ledger.Balance;

/**
 * How many messages a second go from a foreign client through the server to a foreign server:
 * {@code smtp-source} to relay to {@code smtp-sink}. The clock runs from the start of the client
 * until the sink has the last message. Rounds of both servers alternate, so that both see the same
 * machine.
 */
public final class RelayBench {
  private static final Duration ROUND_LIMIT = Duration.ofMinutes(5);

  /**
   * The load.
   *
   * @param messages of one round
   * @param bytes of one message
   * @param connections of the client at one time
   * @param rounds that count, after one that warms up
   */
  public record Load(int messages, int bytes, int connections, int rounds) {}

  private final Load load;
  private final PrintWriter out;

  public RelayBench(Load load, PrintWriter out) {
    this.load = load;
    this.out = out;
  }

  /**
   * Measures and prints.
   *
   * @return true when nothing was lost
   * @throws BenchException when it cannot be measured here
   */
  public boolean run() throws BenchException {
    Path directory = BenchFiles.make();
    boolean peer = PostfixRelay.possible();
    if (!peer) {
      out.println("Postfix is not installed, or this is not root: no comparison");
    }
    try (Sink sink = Sink.start(directory);
        Sink peerSink = Sink.start(directory);
        PosternRelay postern = PosternRelay.start(directory, sink.port())) {
      if (!peer) {
        return measure(directory, postern, sink, Optional.empty(), peerSink);
      }
      try (PostfixRelay postfix = PostfixRelay.start(directory, peerSink.port())) {
        return measure(directory, postern, sink, Optional.of(postfix), peerSink);
      }
    } finally {
      BenchFiles.delete(directory);
    }
  }

  private boolean measure(
      Path directory,
      PosternRelay postern,
      Sink sink,
      Optional<PostfixRelay> postfix,
      Sink peerSink)
      throws BenchException {
    out.printf(
        "%d messages of %d bytes over %d connections a round; messages a second%n",
        load.messages(), load.bytes(), load.connections());
    boolean whole = true;
    long sent = 0;
    for (boolean kept : List.of(true, false)) {
      List<Double> ours = new ArrayList<>();
      List<Double> theirs = new ArrayList<>();
      String how = kept ? "connections kept" : "a connection for each message";
      for (int round = 0; round <= load.rounds(); round++) {
        double rate = round(directory, postern, sink, kept);
        sent += load.messages();
        StringBuilder line = new StringBuilder();
        line.append(round == 0 ? "warm-up " : "round " + round + " ");
        line.append(how).append(": Postern ").append(whole(rate));
        double peerRate = 0;
        if (postfix.isPresent()) {
          peerRate = round(directory, postfix.get(), peerSink, kept);
          line.append(", Postfix ").append(whole(peerRate));
        }
        out.println(line);
        out.flush();
        if (round > 0) {
          ours.add(rate);
          theirs.add(peerRate);
        }
      }
      double median = Medians.of(ours);
      out.printf(Locale.ROOT, "%s: Postern %s", how, whole(median));
      if (postfix.isPresent()) {
        double peerMedian = Medians.of(theirs);
        out.printf(Locale.ROOT, ", Postfix %s, ratio %.2f", whole(peerMedian), median / peerMedian);
      }
      out.println(" (medians)");
    }
    whole &= account(postern, sink, sent);
    return whole;
  }

  private boolean account(PosternRelay postern, Sink sink, long sent) throws BenchException {
    Optional<Balance> settled = Optional.empty();
    for (int attempt = 0; attempt < 100 && settled.isEmpty(); attempt++) {
      Balance balance = postern.balance();
      if (balance.delivered() == sent) {
        settled = Optional.of(balance);
      }
    }
    Balance balance = settled.isPresent() ? settled.get() : postern.balance();
    List<Long> frames = postern.frames();
    out.printf(
        "sent %d, sink has %d, ledger: accepted %d, delivered %d, difference %d; frames in each store %s%n",
        sent, sink.count(), balance.accepted(), balance.delivered(), balance.difference(), frames);
    boolean whole =
        sink.count() == sent
            && balance.delivered() == sent
            && balance.difference() == 0
            && frames.stream().allMatch(count -> count == sent);
    out.println(whole ? "nothing lost, nothing twice" : "NOT everything is accounted for");
    return whole;
  }

  private double round(Path directory, Relay relay, Sink sink, boolean kept) throws BenchException {
    long before = sink.count();
    List<String> command =
        new ArrayList<>(
            List.of(
                Tools.find("smtp-source"),
                "-s",
                "" + load.connections(),
                "-l",
                "" + load.bytes(),
                "-m",
                "" + load.messages()));
    if (kept) {
      command.add("-d");
    }
    command.addAll(
        List.of(
            "-f", "sender@example.com", "-t", "user@" + Relay.DOMAIN, "127.0.0.1:" + relay.port()));
    long start = System.nanoTime();
    Child.run(directory.resolve("source.txt"), ROUND_LIMIT, command);
    long target = before + load.messages();
    if (!Child.await(ROUND_LIMIT, () -> sink.count() >= target)) {
      throw new BenchException(
          "%s delivered %d of %d messages within %d s"
              .formatted(
                  relay.name(), sink.count() - before, load.messages(), ROUND_LIMIT.toSeconds()));
    }
    return load.messages() * 1e9 / (System.nanoTime() - start);
  }

  private static String whole(double value) {
    return String.format(Locale.ROOT, "%.0f", value);
  }
}
