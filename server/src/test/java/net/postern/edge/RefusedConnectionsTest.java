package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.config.Network;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.Reference;
import net.postern.source.Sources;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;

/** What is told of connections that become no session. */
class RefusedConnectionsTest {
  private static final Pattern REFERENCE = Pattern.compile("\\(ref ([0-9A-Z]{13})\\)");

  private static Dialogue through(TestEdge edge, String client) throws IOException {
    Dialogue dialogue = Dialogue.with(edge);
    dialogue.send("PROXY TCP4 " + client + " 192.0.2.250 4711 25\r\n");
    return dialogue;
  }

  private static String reference(String reply) {
    assertTrue(reply.startsWith("421 4.7.0 "), reply);
    Matcher matcher = REFERENCE.matcher(reply);
    assertTrue(matcher.find(), reply);
    assertEquals(
        Optional.of(Reason.TOO_MANY_CONNECTIONS),
        Reference.parse(matcher.group(1)).orElseThrow().reason());
    return matcher.group(1);
  }

  @Test
  void behindAProxyTheClientIsTold() throws Exception {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.proxies = List.of(Network.parse("127.0.0.0/8").orElseThrow());
    settings.maxConnectionsPerSource = 1;
    try (TestEdge edge = new TestEdge(settings);
        Dialogue first = through(edge, "203.0.113.9")) {
      first.expect("220");
      try (Dialogue second = through(edge, "203.0.113.9")) {
        String quoted = reference(second.line());
        MailEvent.Refused told = edge.refusals().getFirst();
        assertEquals("203.0.113.9", told.peer().address());
        assertEquals(quoted, told.reference().toString());
      }
      // The control: another client of the same proxy.
      try (Dialogue third = through(edge, "203.0.113.10")) {
        third.expect("220");
      }
      assertEquals(1, edge.refusals().size());
    }
  }

  @Test
  void withoutAProxyTheOtherEndIsTold() throws Exception {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.maxConnectionsPerSource = 1;
    try (TestEdge edge = new TestEdge(settings);
        Dialogue first = Dialogue.with(edge)) {
      first.expect("220");
      try (Dialogue second = Dialogue.with(edge)) {
        reference(second.line());
        assertEquals("127.0.0.1", edge.refusals().getFirst().peer().address());
      }
    }
  }

  @Test
  void aFloodIsToldOnceInTenSecondsAndEveryReplyHasAReference() throws Exception {
    try (Database database = TestDatabase.open()) {
      for (boolean proxy : List.of(false, true)) {
        TestEdge.Settings settings = new TestEdge.Settings();
        if (proxy) {
          settings.proxies = List.of(Network.parse("127.0.0.0/8").orElseThrow());
        }
        settings.sources =
            Optional.of(
                new Sources(
                    TestConfig.limits("exempt = []", "flood = 1"),
                    List.of(),
                    new byte[32],
                    database,
                    event -> {},
                    InstantSource.system()));
        try (TestEdge edge = new TestEdge(settings)) {
          try (Dialogue served = proxy ? through(edge, "203.0.113.9") : Dialogue.with(edge)) {
            served.expect("220");
          }
          assertEquals(1, flood(edge, proxy).size());
          assertEquals(1, edge.refusals().size());
          assertEquals(20, edge.server.turnedAway());
          settings.world.clock().advance(Duration.ofSeconds(11));
          assertEquals(1, flood(edge, proxy).size());
          Await.until(() -> edge.refusals().size() == 2);
          String text = edge.refusals().getLast().text();
          assertTrue(text.contains(" 19 more were refused"), text);
          assertEquals(
              proxy ? "203.0.113.9" : "127.0.0.1", edge.refusals().getLast().peer().address());
        }
      }
    }
  }

  private static Set<String> flood(TestEdge edge, boolean proxy) throws IOException {
    Set<String> references = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      try (Dialogue refused = proxy ? through(edge, "203.0.113.9") : Dialogue.with(edge)) {
        references.add(reference(refused.line()));
      }
    }
    return references;
  }

  @Test
  void oneByOneTheyAreToldAsLongAsTheyAreFew() throws Exception {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.maxConnections = 1;
    try (TestEdge edge = new TestEdge(settings);
        Socket holder = new Socket(edge.address().getAddress(), edge.port())) {
      Await.until(() -> edge.server.connections() == 1);
      assertTrue(holder.isConnected());
      Set<String> references = new HashSet<>();
      for (int i = 0; i < 30; i++) {
        try (Dialogue refused = Dialogue.with(edge)) {
          references.add(reference(refused.line()));
        }
      }
      assertEquals(10, references.size());
      assertEquals(10, edge.refusals().size());
    }
  }
}
