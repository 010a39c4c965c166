package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The measurement of the edge beside Postfix with postscreen. The short form shows that it works:
 * each server refuses who is listed, and takes and refuses the recipients that it has to; the
 * command fails otherwise. The long one prints the figures of docs/performance.md.
 */
@Isolated("it measures")
class E17EdgeBenchTest {
  private static final List<String> KINDS =
      List.of("refused clients", "recipients of new clients", "recipients of known clients");

  @Test
  void bothAnswerAsTheyHaveTo() throws Exception {
    String out = bench("--sessions", "300", "--connections", "100", "--rounds", "1");
    for (String kind : KINDS) {
      assertTrue(
          out.lines()
              .anyMatch(
                  line ->
                      line.startsWith(kind + " a second: Postern ")
                          && line.contains(", Postfix ")
                          && line.contains(", ratio ")),
          out);
    }
  }

  @Test
  @Tag("long")
  void atFullLoad() throws Exception {
    System.out.println(bench());
  }

  private static String bench(String... arguments) throws Exception {
    Machine.needsRoot("runs Postfix, and a name server on port 53");
    Machine.program("unbound", "unbound");
    Machine.program("postfix", "postfix");
    Machine.program("unshare", "util-linux");
    List<String> command =
        new java.util.ArrayList<>(
            List.of(NodeProcess.HOME.resolve("postern").toString(), "bench", "edge"));
    command.addAll(List.of(arguments));
    NodeProcess.Outcome outcome = NodeProcess.run(Map.of(), Duration.ofMinutes(30), command);
    assertEquals(0, outcome.code(), outcome.out());
    return outcome.out();
  }
}
