package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import net.postern.address.EmailAddress;
import net.postern.config.ConfigLoader;
import net.postern.config.HostPort;
import net.postern.tenant.Route;
import net.postern.tenant.Tenants;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a stop does to mail that is on its way. */
class DrainTest {

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  @Test
  void aSessionThatIdlesInItsTransactionDoesNotHaveDeliveriesCut() throws Exception {
    CountDownLatch sessionCut = new CountDownLatch(1);
    SmtpPeer.Script slow =
        (stage, argument, connection) -> {
          if (stage == Stage.END_OF_DATA) {
            try {
              assertTrue(sessionCut.await(1, TimeUnit.MINUTES));
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          return new Act.Accept();
        };
    try (SmtpPeer peer = SmtpPeer.start(slow)) {
      Node node =
          Node.start(
              ConfigLoader.fromText(
                  """
                  [node]
                  hostname = "mx.host.example"
                  data = "data"
                  drain = "20s"
                  [edge]
                  listen = ["127.0.0.1:0"]
                  starttls = false
                  [vault]
                  reserve = "1 MiB"
                  [observe]
                  listen = "127.0.0.1:0"
                  """,
                  directory));
      Thread closer = Thread.ofVirtual().unstarted(node::close);
      try (Client idle = new Client(node)) {
        Tenants tenants = node.tenants();
        tenants.addCustomer("One");
        tenants.addDomain(tenants.findCustomer("One").orElseThrow(), "one.example", false);
        tenants.addUser(EmailAddress.parse("user@one.example").orElseThrow());
        tenants.routeToServers(
            "one.example", List.of(new HostPort("127.0.0.1", peer.port())), Route.Tls.OFF);
        try (Client sender = new Client(node)) {
          sender.say("MAIL FROM:<a@example.net>", "250");
          sender.say("RCPT TO:<user@one.example>", "250");
          sender.say("DATA", "354");
          sender.say("Subject: one\r\n\r\ntext\r\n.", "250");
        }
        Await.until(() -> peer.commands().contains("DATA"));
        idle.say("MAIL FROM:<a@example.net>", "250");
        closer.start();
        idle.awaitEnd();
        sessionCut.countDown();
      } finally {
        sessionCut.countDown();
        if (closer.getState() == Thread.State.NEW) {
          closer.start();
        }
        closer.join();
      }
      // Only a transaction that came to its end is followed by a goodbye. Nobody waits for a peer
      // that takes its time to read it.
      Await.until(() -> peer.commands().contains("QUIT"));
      assertEquals(1, peer.commands().stream().filter("QUIT"::equals).count());
    }
  }

  /** An SMTP client that reads one line for each it sends. */
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final BufferedReader in;

    Client(Node node) throws Exception {
      socket = new Socket(InetAddress.getLoopbackAddress(), node.smtpPorts().getFirst().getPort());
      socket.setSoTimeout(60_000);
      in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      assertTrue(in.readLine().startsWith("220"));
      say("HELO client.example", "250");
    }

    void say(String line, String reply) throws Exception {
      socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
      String got = in.readLine();
      assertTrue(String.valueOf(got).startsWith(reply), () -> line + ": " + got);
    }

    void awaitEnd() throws Exception {
      while (in.readLine() != null) {
        // A 421 may come before.
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
