package net.postern.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.Settlement;
import net.postern.tenant.Route;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.testkit.SmtpPeer.Act;
import net.postern.testkit.SmtpPeer.Stage;
import org.junit.jupiter.api.Test;

/** What a server can do at each stage, with and without PIPELINING. */
class StagesTest {
  private static final List<Stage> STAGES =
      List.of(Stage.CONNECT, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA);

  private record Case(Stage stage, Act act, boolean pipelining) {}

  private static List<Case> cases(Act... acts) {
    List<Case> cases = new ArrayList<>();
    for (boolean pipelining : new boolean[] {true, false}) {
      for (Stage stage : STAGES) {
        for (Act act : acts) {
          cases.add(new Case(stage, act, pipelining));
        }
      }
    }
    return cases;
  }

  private static DeliveryState expected(Case test) {
    if (test.act() instanceof Act.Accept) {
      return DeliveryState.DELIVERED;
    }
    boolean inTransaction = test.stage() != Stage.CONNECT && test.stage() != Stage.EHLO;
    if (test.act() instanceof Act.Say(String reply) && reply.startsWith("550")) {
      // A server that does not know EHLO is asked with HELO; one that does not greet is asked
      // later.
      return inTransaction
          ? DeliveryState.RETURNED
          : test.stage() == Stage.EHLO ? DeliveryState.DELIVERED : DeliveryState.WAITING;
    }
    return DeliveryState.WAITING;
  }

  @Test
  void everyMisfortuneHasItsOutcome() throws Exception {
    List<Case> cases =
        cases(
            new Act.Accept(),
            new Act.Drop(),
            new Act.Say("450 4.2.0 Later"),
            new Act.SayAndDrop("421 4.3.2 Going down"),
            new Act.Say("550 5.7.1 Never"));
    try (DeliveryWorld world = DeliveryWorld.start(DeliveryWorld.config(200, 2))) {
      firstOutcomes(world, cases)
          .forEach(
              (test, first) -> assertEquals(expected(test), state(first), test + ": " + first));
    }
  }

  /** In a world of their own: only here may what takes a second be given up. */
  @Test
  void whoeverHangsIsLeftAndAskedLater() throws Exception {
    try (DeliveryWorld world = DeliveryWorld.impatient(DeliveryWorld.config(200, 2))) {
      firstOutcomes(world, cases(new Act.Hang()))
          .forEach(
              (test, first) -> {
                assertEquals(DeliveryState.WAITING, state(first), test + ": " + first);
                assertTrue(first.toString().contains("in time"), test + ": " + first);
              });
    }
  }

  private static Map<Case, Settlement> firstOutcomes(DeliveryWorld world, List<Case> cases)
      throws Exception {
    List<SmtpPeer> peers = new ArrayList<>();
    Map<Case, MessageId> sent = new LinkedHashMap<>();
    try {
      int number = 0;
      for (Case test : cases) {
        SmtpPeer.Script script =
            (stage, argument, connection) -> stage == test.stage() ? test.act() : new Act.Accept();
        SmtpPeer peer =
            test.pipelining()
                ? SmtpPeer.start(script)
                : SmtpPeer.with(script, "8BITMIME", "SIZE 1000000");
        peers.add(peer);
        String domain = "case" + number++ + ".example";
        world.route(domain, peer);
        sent.put(test, world.letter("x@" + domain).dispatch());
      }
      Await.until(
          () ->
              world.ledger.settlements.stream().map(s -> s.key().message()).distinct().count()
                  == sent.size());
    } finally {
      peers.forEach(SmtpPeer::close);
    }
    Map<Case, Settlement> outcomes = new LinkedHashMap<>();
    sent.forEach(
        (test, id) ->
            outcomes.put(
                test,
                world.ledger.settlements.stream()
                    .filter(s -> s.key().message().equals(id))
                    .findFirst()
                    .orElseThrow()));
    return outcomes;
  }

  private static DeliveryState state(Settlement settlement) {
    return switch (settlement) {
      case Settlement.Delivered _ -> DeliveryState.DELIVERED;
      case Settlement.Retry _ -> DeliveryState.WAITING;
      case Settlement.Returned _ -> DeliveryState.RETURNED;
      case Settlement.Unattempted _ -> DeliveryState.IN_PROGRESS;
    };
  }

  @Test
  void aServerThatStopsReadingDoesNotHoldAWorkerForEver() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    try (ServerSocket listener = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"));
        DeliveryWorld world = DeliveryWorld.impatient(DeliveryWorld.config(20, 8))) {
      Thread _ = Thread.ofVirtual().start(() -> stopsReading(listener, over));
      world.routes.put(
          "example.com",
          new Route.Smtp(
              List.of(new Route.Target("127.0.0.1", listener.getLocalPort())), Route.Tls.OFF));
      MessageId _ =
          world
              .letter("x@example.com")
              .content("Subject: big\r\n\r\n" + "0123456789\r\n".repeat(3_000_000))
              .dispatch();
      Await.until(() -> world.ledger.settled(Settlement.Retry.class).size() >= 1);
      String reply = world.ledger.settled(Settlement.Retry.class).getFirst().reply();
      assertTrue(reply.contains("in time"), reply);
    } finally {
      over.countDown();
    }
  }

  private static void stopsReading(ServerSocket listener, CountDownLatch over) {
    try (Socket socket = listener.accept()) {
      socket.setReceiveBufferSize(16 * 1024);
      OutputStream out = socket.getOutputStream();
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII), 128);
      out.write("220 hi\r\n".getBytes(StandardCharsets.US_ASCII));
      while (true) {
        String line = in.readLine();
        boolean data = "DATA".equals(line);
        out.write((data ? "354 go\r\n" : "250 ok\r\n").getBytes(StandardCharsets.US_ASCII));
        if (data || line == null) {
          over.await();
          return;
        }
      }
    } catch (IOException e) {
      // The client gave up, as it should.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
