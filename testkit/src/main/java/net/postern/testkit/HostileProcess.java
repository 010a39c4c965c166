package net.postern.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import net.postern.testkit.HostileClients.Kind;
import net.postern.testkit.HostileClients.Tally;

/**
 * {@link HostileClients} in a process of their own, so that they share neither threads nor memory
 * with well-behaved clients of the test: attackers are on machines of their own. Here they are on
 * the server's, and what they need themselves must not be taken for what they cost: the process has
 * the lowest priority. Whether they still come as fast as they should is for the test to look at.
 */
public final class HostileProcess implements AutoCloseable {
  private static final long EXIT_SECONDS = 20;

  /**
   * What the clients came to until now.
   *
   * @param injected see {@link HostileClients#injected}
   * @param renegotiated see {@link HostileClients#renegotiated}
   */
  public record Report(Map<Kind, Tally> tallies, int injected, int renegotiated) {
    /** Of one kind. */
    public Tally of(Kind kind) {
      return tallies.getOrDefault(kind, new Tally(0, 0, 0));
    }
  }

  private final Process process;
  private final OutputStream ask;
  private final BufferedReader answers;

  private HostileProcess(Process process) {
    this.process = process;
    this.ask = process.getOutputStream();
    this.answers = process.inputReader(StandardCharsets.US_ASCII);
  }

  /** Begins; see {@link HostileClients#start}. */
  public static HostileProcess start(
      InetSocketAddress server, Map<Kind, Integer> clients, int floodPerMinute, Duration most)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("nice", "-n", "19"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx512m",
            "-cp",
            System.getProperty("java.class.path"),
            HostileProcess.class.getName(),
            server.getAddress().getHostAddress(),
            Integer.toString(server.getPort()),
            Integer.toString(floodPerMinute),
            Long.toString(most.toSeconds())));
    clients.forEach((kind, count) -> command.add(kind + "=" + count));
    return new HostileProcess(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** What they came to until now. */
  public synchronized Report report() {
    try {
      ask.write('\n');
      ask.flush();
      String line = answers.readLine();
      if (line == null) {
        throw new IOException("the process of the hostile clients has ended");
      }
      return parse(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Report parse(String line) {
    Map<Kind, Tally> tallies = new EnumMap<>(Kind.class);
    String[] words = line.split(" ", -1);
    for (int i = 2; i < words.length; i++) {
      String[] one = words[i].split("[=,]", -1);
      tallies.put(
          Kind.valueOf(one[0]),
          new Tally(Long.parseLong(one[1]), Long.parseLong(one[2]), Long.parseLong(one[3])));
    }
    return new Report(tallies, Integer.parseInt(words[0]), Integer.parseInt(words[1]));
  }

  @Override
  public void close() {
    try {
      ask.close();
      if (!process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  /**
   * The process: a line for each line of standard input, until that ends.
   *
   * @param args address, port, connections of the flood a minute, seconds at most, and {@code
   *     KIND=number} for each kind
   */
  public static void main(String[] args) throws IOException {
    Map<Kind, Integer> clients = new EnumMap<>(Kind.class);
    for (int i = 4; i < args.length; i++) {
      String[] one = args[i].split("=", 2);
      clients.put(Kind.valueOf(one[0]), Integer.parseInt(one[1]));
    }
    InetSocketAddress server =
        new InetSocketAddress(InetAddress.ofLiteral(args[0]), Integer.parseInt(args[1]));
    try (HostileClients hostile =
        HostileClients.start(
            server,
            clients,
            Integer.parseInt(args[2]),
            Duration.ofSeconds(Long.parseLong(args[3])))) {
      while (System.in.read() >= 0) {
        StringBuilder line = new StringBuilder();
        line.append(hostile.injected()).append(' ').append(hostile.renegotiated());
        for (Kind kind : Kind.values()) {
          Tally tally = hostile.tally(kind);
          line.append(' ').append(kind).append('=').append(tally.connections());
          line.append(',').append(tally.bytesSent()).append(',').append(tally.cutOff());
        }
        System.out.println(line);
      }
    }
  }
}
