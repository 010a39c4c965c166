package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.testkit.Await;
import net.postern.testkit.MailSink;
import org.junit.jupiter.api.Test;

/**
 * A user gets a password, logs in with swaks over TLS and writes to the world, in the user's own
 * name only; a sender who was refused quotes the reference, and the operator finds out why.
 */
class E16SubmissionTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String ANN = "ann@" + NodeProcess.DOMAIN;
  private static final Pattern LISTENS = Pattern.compile("with TLS, \\[/127\\.0\\.0\\.1:(\\d+)\\]");
  private static final Pattern REFERENCE = Pattern.compile("\\(ref ([0-9A-Z]{13})\\)");

  @Test
  void aUserWritesToTheWorld() throws IOException, InterruptedException {
    String swaks = Machine.program("swaks", "swaks");
    try (MailSink world = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e16")) {
      node.set("edge", "submissions", "[\"127.0.0.1:0\"]");
      node.set("delivery", "smarthost", "\"127.0.0.1:" + world.port() + "\"");
      node.start();
      Await.until(PATIENCE, () -> LISTENS.matcher(node.logOfRun()).find());
      Matcher listens = LISTENS.matcher(node.logOfRun());
      assertTrue(listens.find());
      int port = Integer.parseInt(listens.group(1));
      node.adminOk("user", "add", ANN);
      String password = last(node.adminOk("user", "password", ANN, "--generate"));

      String sent = swaks(swaks, port, ANN, password, ANN, 0);
      assertTrue(sent.contains("250 2.0.0 Ok: queued"), sent);
      Await.until(PATIENCE, () -> world.total() + world.strange() == 1);

      String wrong = swaks(swaks, port, ANN, password + "x", ANN, 28);
      assertTrue(wrong.contains("535 5.7.8"), wrong);
      Matcher failed = REFERENCE.matcher(wrong);
      assertTrue(failed.find(), wrong);
      Await.until(PATIENCE, () -> explain(node, failed.group(1)).contains("wrong password"));

      // A device has a password of its own, until it is taken back.
      String device = last(node.adminOk("user", "app-password", "add", ANN, "Ann's phone"));
      sent = swaks(swaks, port, ANN, device, ANN, 0);
      assertTrue(sent.contains("250 2.0.0 Ok: queued"), sent);
      Await.until(PATIENCE, () -> world.total() + world.strange() == 2);
      String listed = node.adminOk("user", "app-password", "list", ANN);
      assertTrue(listed.contains("Ann's phone") && !listed.contains("never"), listed);
      node.adminOk("user", "app-password", "remove", ANN, "Ann's phone");
      swaks(swaks, port, ANN, device, ANN, 28);

      String other = swaks(swaks, port, ANN, password, "boss@" + NodeProcess.DOMAIN, 23);
      assertTrue(other.contains("553 5.7.1"), other);
      Matcher reference = REFERENCE.matcher(other);
      assertTrue(reference.find(), other);
      // The record follows the reply within a second.
      Await.until(PATIENCE, () -> explain(node, reference.group(1)).contains("553 5.7.1"));
      String explained = node.adminOk("explain", reference.group(1));
      assertTrue(explained.contains("SENDER_DENIED"), explained);
      assertTrue(explained.contains("the sender can: "), explained);
      assertNotEquals(0, node.admin("explain", "nonsense").code());

      String ledger = E02CrashTest.untilNothingWaits(node);
      assertTrue(ledger.contains("balance: 0"), ledger);
      assertEquals(2, world.total() + world.strange());
    }
  }

  private static String last(String printed) {
    String text = printed.strip();
    return text.substring(text.lastIndexOf(' ') + 1);
  }

  private static String explain(NodeProcess node, String reference) {
    try {
      return node.adminOk("explain", reference);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String swaks(
      String program, int port, String user, String password, String from, int exit)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                program,
                "--server",
                "127.0.0.1",
                "--port",
                "" + port,
                "--tls-on-connect",
                "--auth",
                "PLAIN",
                "--auth-user",
                user,
                "--auth-password",
                password,
                "--from",
                from,
                "--to",
                "friend@elsewhere.example"));
    NodeProcess.Outcome outcome = NodeProcess.run(Map.of(), command);
    assertEquals(exit, outcome.code(), outcome.out());
    return outcome.out();
  }
}
