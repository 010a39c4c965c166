package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.events.MailEvent.Reason;
import net.postern.id.MessageId;
import net.postern.intake.IntakeResult;
import org.junit.jupiter.api.Test;

/** Limits on connections and time, and the end of the server. */
class LimitsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void oneSourceMayNotTakeAllConnections() throws Exception {
    var settings = new TestEdge.Settings();
    settings.maxConnectionsPerSource = 2;
    try (TestEdge edge = new TestEdge(settings);
        Dialogue first = Dialogue.with(edge);
        Dialogue second = Dialogue.with(edge)) {
      first.expect("220");
      second.expect("220");
      try (Dialogue third = Dialogue.with(edge)) {
        third.expect("421 4.7.0 mx.test");
        assertEquals("", third.line());
      }
      assertEquals(Reason.TOO_MANY_CONNECTIONS, edge.refusals().getFirst().reason());
      // The control: another source is served.
      try (Dialogue other =
          new Dialogue(
              new Socket(
                  edge.address().getAddress(),
                  edge.port(),
                  InetAddress.ofLiteral("127.0.0.2"),
                  0))) {
        other.expect("220");
      }
      first.send("QUIT\r\n");
      first.expect("221");
      assertTrue(Wait.until(PATIENCE, () -> edge.server.connections() == 1));
      try (Dialogue again = Dialogue.with(edge)) {
        again.expect("220");
      }
    }
  }

  @Test
  void theLimitBySourceSparesNamedNetworks() throws Exception {
    var settings = new TestEdge.Settings();
    settings.maxConnectionsPerSource = 1;
    settings.unlimited = List.of(Network.parse("127.0.0.0/8").orElseThrow());
    try (TestEdge edge = new TestEdge(settings);
        Dialogue first = Dialogue.with(edge);
        Dialogue second = Dialogue.with(edge)) {
      first.expect("220");
      second.expect("220");
    }
  }

  @Test
  void ipv6SourcesAreCountedByNetwork() {
    SourceLimits limits = new SourceLimits(1, List.of());
    assertTrue(limits.enter(InetAddress.ofLiteral("2001:db8:0:1::1")));
    assertFalse(limits.enter(InetAddress.ofLiteral("2001:db8:0:1:ffff::2")));
    assertTrue(limits.enter(InetAddress.ofLiteral("2001:db8:0:2::1")));
    assertTrue(limits.enter(InetAddress.ofLiteral("192.0.2.1")));
    assertTrue(limits.enter(InetAddress.ofLiteral("192.0.2.2")));
    limits.leave(InetAddress.ofLiteral("2001:db8:0:1::1"));
    assertTrue(limits.enter(InetAddress.ofLiteral("2001:db8:0:1:ffff::2")));
    assertEquals(4, limits.sources());
  }

  @Test
  void theServerTakesSoManyConnections() throws Exception {
    var settings = new TestEdge.Settings();
    settings.maxConnections = 3;
    List<Dialogue> open = new ArrayList<>();
    try (TestEdge edge = new TestEdge(settings)) {
      for (int i = 0; i < 3; i++) {
        open.add(Dialogue.with(edge));
        open.getLast().expect("220");
      }
      try (Dialogue over = Dialogue.with(edge)) {
        over.expect("421 4.7.0 mx.test");
      }
      open.removeFirst().close();
      assertTrue(Wait.until(PATIENCE, () -> edge.server.connections() == 2));
      try (Dialogue again = Dialogue.with(edge)) {
        again.expect("220");
      }
    } finally {
      for (Dialogue dialogue : open) {
        dialogue.close();
      }
    }
  }

  @Test
  void aTricklingCommandIsCutAtItsDeadlineAndCostsNobodyElseAnything() throws Exception {
    var settings = new TestEdge.Settings();
    settings.commandTimeout = Duration.ofSeconds(4);
    AtomicBoolean stop = new AtomicBoolean();
    try (TestEdge edge = new TestEdge(settings);
        Dialogue slow = Dialogue.with(edge)) {
      slow.expect("220");
      Thread trickle = trickle(slow, "N", stop);
      long start = System.nanoTime();
      // Meanwhile mail flows.
      for (int i = 0; i < 20; i++) {
        try (Dialogue quick = Dialogue.with(edge)) {
          quick.deliver("text\r\n");
        }
      }
      slow.expect("421 4.4.2");
      long millis = (System.nanoTime() - start) / 1_000_000;
      stop.set(true);
      trickle.join();
      // What it sends has no end: any bound shows that it was cut.
      assertTrue(millis < 30_000, "cut after " + millis + " ms");
      assertEquals(20, edge.taken.size());
    }
  }

  @Test
  void aTricklingMessageIsCutAtItsDeadline() throws Exception {
    var settings = new TestEdge.Settings();
    settings.messageTimeout = Duration.ofMillis(800);
    AtomicBoolean stop = new AtomicBoolean();
    try (TestEdge edge = new TestEdge(settings);
        Dialogue slow = Dialogue.with(edge)) {
      slow.upToData();
      Thread trickle = trickle(slow, "x", stop);
      slow.expect("421 4.4.2");
      stop.set(true);
      trickle.join();
      assertTrue(Wait.until(PATIENCE, () -> edge.server.receiveMemoryUsed() == 0));
      assertEquals(0, edge.taken.size());
      assertEquals(Reason.TIMEOUT, edge.refusals().getFirst().reason());
    }
  }

  @Test
  void aSessionEndsInTheEnd() throws Exception {
    var settings = new TestEdge.Settings();
    settings.sessionTimeout = Duration.ofSeconds(3);
    settings.junkCommands = 1_000_000;
    try (TestEdge edge = new TestEdge(settings);
        Dialogue busy = Dialogue.with(edge)) {
      busy.expect("220");
      String line = "250";
      for (int i = 0; i < 10_000_000 && line.startsWith("250"); i++) {
        try {
          busy.send("NOOP\r\n");
        } catch (IOException e) {
          break;
        }
        line = busy.line();
      }
      assertTrue(line.startsWith("421 4.4.2"), line);
    }
  }

  @Test
  void aClientThatDoesNotReadItsRepliesIsCut() throws Exception {
    var settings = new TestEdge.Settings();
    settings.commandTimeout = Duration.ofMillis(500);
    settings.junkCommands = 1_000_000;
    try (TestEdge edge = new TestEdge(settings);
        Socket deaf = new Socket(edge.address().getAddress(), edge.port())) {
      byte[] help = "HELP\r\n".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
      Thread writer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int i = 0; i < 1000; i++) {
                        deaf.getOutputStream().write(help);
                      }
                    } catch (IOException e) {
                      // Cut, as it should be.
                    }
                  });
      assertTrue(Wait.until(PATIENCE, () -> edge.server.connections() == 0));
      writer.join();
    }
  }

  @Test
  void messagesInMemoryAreCountedAndForgotten() throws Exception {
    var settings = new TestEdge.Settings();
    CountDownLatch inIntake = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    settings.intake =
        (envelope, content) -> {
          inIntake.countDown();
          assertTrue(goOn.await(10, TimeUnit.SECONDS));
          return new IntakeResult.Accepted(MessageId.create());
        };
    try (TestEdge edge = new TestEdge(settings);
        Dialogue dialogue = Dialogue.with(edge)) {
      dialogue.upToData();
      dialogue.send("x".repeat(998) + "\r\n.\r\n");
      assertTrue(inIntake.await(10, TimeUnit.SECONDS));
      assertEquals(1000, edge.server.receiveMemoryUsed());
      goOn.countDown();
      dialogue.expect("250");
      assertTrue(Wait.until(PATIENCE, () -> edge.server.receiveMemoryUsed() == 0));
    }
  }

  @Test
  void shutdownCutsWhatDoesNotEnd() throws Exception {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings());
        Dialogue dialogue = Dialogue.with(edge)) {
      dialogue.upToData();
      edge.server.close(Duration.ofMillis(300));
      assertTrue(Wait.until(PATIENCE, () -> edge.server.connections() == 0));
      assertEquals(0, edge.taken.size());
    }
  }

  @Test
  void aPortInUseIsSaidInWords() {
    try (TestEdge edge = new TestEdge(new TestEdge.Settings())) {
      var settings = new TestEdge.Settings();
      settings.listen = List.of(new HostPort("127.0.0.1", edge.port()));
      ListenException e =
          assertThrows(
              ListenException.class,
              () -> {
                try (TestEdge second = new TestEdge(settings)) {
                  assertTrue(second.port() > 0);
                }
              });
      assertEquals(
          "cannot listen on 127.0.0.1:"
              + edge.port()
              + ": port "
              + edge.port()
              + " is in use. Another mail server may be running: stop it, or set edge.listen to"
              + " another port.",
          e.getMessage());
    }
  }

  @Test
  void anAddressThatIsNotOursIsSaidInWords() {
    var settings = new TestEdge.Settings();
    settings.listen = List.of(new HostPort("192.0.2.1", 0));
    ListenException e =
        assertThrows(
            ListenException.class,
            () -> {
              try (TestEdge edge = new TestEdge(settings)) {
                assertTrue(edge.port() > 0);
              }
            });
    assertTrue(
        String.valueOf(e.getMessage()).contains("not one of this machine's"), e.getMessage());
  }

  private static Thread trickle(Dialogue dialogue, String text, AtomicBoolean stop) {
    return Thread.ofVirtual()
        .start(
            () -> {
              try {
                while (!stop.get()) {
                  dialogue.send(text);
                  java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
                }
              } catch (IOException e) {
                // Cut, as it should be.
              }
            });
  }
}
