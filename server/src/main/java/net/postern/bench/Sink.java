package net.postern.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Postfix's {@code smtp-sink}: takes every message and counts it. */
final class Sink implements AutoCloseable {
  private static final Pattern COUNT = Pattern.compile("mesg=(\\d+)\r");
  private static final int TAIL = 400;

  private final Child child;
  private final Path output;
  private final int port;

  private Sink(Child child, Path output, int port) {
    this.child = child;
    this.output = output;
    this.port = port;
  }

  /** Starts one on a free port of loopback. */
  static Sink start(Path directory) throws BenchException {
    int port = Ports.free();
    Path output = directory.resolve("sink-" + port + ".txt");
    List<String> command = new ArrayList<>(List.of(Tools.find("smtp-sink")));
    if (Tools.isRoot()) {
      command.addAll(List.of("-u", "postfix"));
    }
    command.addAll(List.of("-c", "127.0.0.1:" + port, "1000"));
    Child child = Child.start(output, command);
    if (!Child.await(Duration.ofSeconds(10), () -> Ports.answers(port))) {
      child.close();
      throw new BenchException("smtp-sink does not answer: " + child.text());
    }
    return new Sink(child, output, port);
  }

  int port() {
    return port;
  }

  /** How many messages it has taken. */
  long count() {
    try (RandomAccessFile file = new RandomAccessFile(output.toFile(), "r")) {
      long start = Math.max(0, file.length() - TAIL);
      byte[] tail = new byte[(int) (file.length() - start)];
      file.seek(start);
      file.readFully(tail);
      Matcher matcher = COUNT.matcher(new String(tail, StandardCharsets.ISO_8859_1));
      long count = 0;
      while (matcher.find()) {
        count = Long.parseLong(matcher.group(1));
      }
      return count;
    } catch (IOException e) {
      return 0;
    }
  }

  @Override
  public void close() {
    child.close();
  }
}
