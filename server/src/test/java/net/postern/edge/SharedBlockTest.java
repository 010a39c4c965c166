package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import net.postern.batch.PeriodicJob;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent.Reason;
import net.postern.source.Sources;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two servers over one database, as two nodes have them, and real sessions. */
class SharedBlockTest {
  private final Database database = TestDatabase.open();

  @AfterEach
  void close() {
    database.close();
  }

  /** A server, what it knows of sources, and the job that shares it. */
  private static final class Node implements AutoCloseable {
    final Sources sources;
    final TestEdge edge;
    final PeriodicJob job;

    Node(Database database, int delayedSessions) {
      sources = TestEdge.sources(database, InstantSource.system());
      TestEdge.Settings settings = new TestEdge.Settings();
      settings.sources = Optional.of(sources);
      settings.delayedSessions = delayedSessions;
      edge = new TestEdge(settings);
      job = new PeriodicJob("sources", Duration.ofSeconds(1), sources::exchange);
    }

    Dialogue connect(String from) throws IOException {
      Dialogue dialogue =
          new Dialogue(
              new Socket(edge.address().getAddress(), edge.port(), InetAddress.ofLiteral(from), 0));
      dialogue.expect("220");
      dialogue.send("HELO a\r\nMAIL FROM:<s@example.com>\r\n");
      dialogue.expect("250");
      dialogue.expect("250");
      return dialogue;
    }

    String rcpt(Dialogue dialogue, String local) throws IOException {
      dialogue.send("RCPT TO:<" + local + "@example.org>\r\n");
      return dialogue.line();
    }

    @Override
    public void close() {
      job.close();
      edge.close();
    }
  }

  private static void harvest(Node node, String from) throws IOException {
    try (Dialogue dialogue = node.connect(from)) {
      for (int i = 0; i < 4; i++) {
        String reply = node.rcpt(dialogue, "nobody" + i);
        assertTrue(reply.startsWith(i < 2 ? "550 5.1.1" : "450 4.7.1"), reply);
      }
      String reply = node.rcpt(dialogue, "nobody4");
      assertTrue(reply.startsWith("554 5.7.1"), reply);
    }
  }

  @Test
  void whoIsBlockedByOneServerIsRefusedByTheOtherWithinSeconds() throws Exception {
    try (Node one = new Node(database, 10);
        Node two = new Node(database, 10)) {
      harvest(one, "127.0.0.1");
      long start = System.nanoTime();
      InetAddress client = InetAddress.ofLiteral("127.0.0.1");
      Await.until(() -> two.sources.blocked(client).isPresent());
      System.out.printf("shared after %d ms%n", (System.nanoTime() - start) / 1_000_000);
      try (Dialogue again = two.connect("127.0.0.1");
          Dialogue neighbour = two.connect("127.0.0.2")) {
        assertTrue(two.rcpt(again, "anna").startsWith("554 5.7.1"));
        assertTrue(two.rcpt(neighbour, "anna").startsWith("250"));
      }
      assertEquals(Reason.SOURCE_BLOCKED, two.edge.refusals().getFirst().reason());
    }
  }

  @Test
  void withoutTheDatabaseMailFlowsAndHarvestersAreStillBlocked() throws Exception {
    try (Node node = new Node(database, 10)) {
      TestDatabase.takeAway(database);
      harvest(node, "127.0.0.1");
      try (Dialogue sender = node.connect("127.0.0.2")) {
        assertTrue(node.rcpt(sender, "anna").startsWith("250"));
        sender.send("DATA\r\n");
        sender.expect("354");
        sender.send("text\r\n.\r\n");
        sender.expect("250 2.0.0");
      }
      assertEquals(1, node.edge.taken.size());
      TestDatabase.bringBack(database);
    }
  }

  @Test
  void onlySoManySessionsAreSlowedDown() throws Exception {
    try (Node node = new Node(database, 1);
        Dialogue first = node.connect("127.0.0.1");
        Dialogue second = node.connect("127.0.0.1")) {
      for (int i = 0; i < 3; i++) {
        node.rcpt(first, "nobody" + i);
      }
      // Waits for two seconds at least, each time.
      first.send("RCPT TO:<anna@example.org>\r\n".repeat(4));
      Await.until(() -> node.edge.server.delayedSessions() == 1);
      String reply = node.rcpt(second, "anna");
      assertTrue(reply.startsWith("421 4.7.0"), reply);
      for (int i = 0; i < 4; i++) {
        first.expect("450 4.7.1");
      }
      assertEquals(0, node.edge.server.delayedSessions());
    }
  }
}
