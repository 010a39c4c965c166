package net.postern.edge;

import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Scanner;
import net.postern.address.EmailAddress;
import net.postern.edge.check.Checks;
import net.postern.id.MessageId;
import net.postern.intake.IntakeResult;

/**
 * A server alone in a JVM of its own: prints its port; {@code heap} on standard input has it print
 * the bytes in use after a collection; the end of standard input ends it.
 */
final class IdleServer {
  private IdleServer() {}

  public static void main(String[] args) {
    try (EdgeServer server =
        new EdgeServer(
            new TestEdge.Settings().config(),
            TestEdge.HOSTNAME,
            new EmailAddress("postmaster", TestEdge.HOSTNAME),
            new TestDirectory(),
            Checks.inOrder(Checks.Parts.of(new TestDirectory())),
            (envelope, content) -> new IntakeResult.Accepted(MessageId.create()),
            event -> {},
            InstantSource.system(),
            TestTls::server)) {
      server.start();
      System.out.println("port " + server.ports().getFirst().getPort());
      Scanner in = new Scanner(System.in, StandardCharsets.US_ASCII);
      while (in.hasNextLine()) {
        if (in.nextLine().equals("heap")) {
          System.gc();
          Runtime runtime = Runtime.getRuntime();
          System.out.println(
              "heap "
                  + (runtime.totalMemory() - runtime.freeMemory())
                  + " connections "
                  + server.connections());
        }
      }
    }
  }
}
