package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.testkit.S3Server;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * What a message costs in requests to S3 servers. The short form shows that the measurement works
 * and that the bound holds at a thousand messages a second; the long one measures all sizes and
 * rates and prints the figures of docs/performance.md.
 */
@Isolated("it measures")
class E14VaultBenchTest {
  /** Of a request for each message and store, at a thousand messages a second. */
  private static final double BOUND = 1.0 / 20;

  private static final Pattern COST =
      Pattern.compile("requests for each message and store ([0-9.]+)");

  @Test
  void groupCommitKeepsRequestsFew() throws Exception {
    try (Servers servers = new Servers()) {
      String out = servers.bench("--bytes", "8192", "--rate", "1000", "--seconds", "10");
      Matcher cost = COST.matcher(out);
      assertTrue(cost.find(), out);
      assertTrue(Double.parseDouble(cost.group(1)) < BOUND, out);
    }
  }

  /** The control of the bound: a lone message a second is not gathered with others. */
  @Test
  void aLoneMessageIsARequest() throws Exception {
    try (Servers servers = new Servers()) {
      String out = servers.bench("--bytes", "1024", "--rate", "2", "--seconds", "4");
      Matcher cost = COST.matcher(out);
      assertTrue(cost.find(), out);
      assertTrue(Double.parseDouble(cost.group(1)) > BOUND, out);
    }
  }

  @Test
  @Tag("long")
  void sizesAndRates() throws Exception {
    try (Servers servers = new Servers()) {
      System.out.println(servers.bench());
      System.out.println(servers.bench("--bytes", "8192", "--rate", "1,100", "--seconds", "30"));
      System.out.println(servers.bench("--bytes", "8192", "--rate", "1000", "--seconds", "30"));
    }
  }

  /** Three S3 servers in this process. */
  private static final class Servers implements AutoCloseable {
    private final List<S3Server> servers = new ArrayList<>();

    Servers() {
      for (int i = 0; i < 3; i++) {
        servers.add(new S3Server("mail"));
      }
    }

    String bench(String... arguments) throws Exception {
      List<String> command =
          new ArrayList<>(
              List.of(NodeProcess.HOME.resolve("postern").toString(), "bench", "vault"));
      for (S3Server server : servers) {
        command.addAll(List.of("--s3", server.endpoint() + "/mail"));
      }
      command.addAll(List.of(arguments));
      Map<String, String> environment =
          new TreeMap<>(
              Map.of(
                  "AWS_ACCESS_KEY_ID",
                  S3Server.ACCESS_KEY,
                  "AWS_SECRET_ACCESS_KEY",
                  S3Server.SECRET_KEY,
                  "AWS_REGION",
                  S3Server.REGION));
      NodeProcess.Outcome outcome = NodeProcess.run(environment, Duration.ofMinutes(8), command);
      assertEquals(0, outcome.code(), outcome.out());
      return outcome.out();
    }

    @Override
    public void close() {
      servers.forEach(S3Server::close);
    }
  }
}
