package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.testkit.Await;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import net.postern.testkit.SmtpPeer;
import net.postern.vault.StoreWalk;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two stores and the database are gone: the third store and the master key give everything back, by
 * {@code vault rebuild}, also when that is killed on the way. Each store is the survivor once. Mail
 * that was delivered is not delivered again, what waited and what was held can be, and new mail is
 * taken for everybody.
 */
class E11RebuildTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int LOAD = 150;
  private static final String HELD = "URGENT: CONFIRM YOUR ACCOUNT NOW";

  private final AtomicInteger numbers = new AtomicInteger();

  @Test
  void oneStoreAndTheMasterKeyGiveEverythingBack() throws Exception {
    lose(1);
  }

  @Test
  @Tag("long")
  void soDoesEachStore() throws Exception {
    lose(0, 1, 2);
  }

  /** Loses everything but a store and the master key, for each of these stores in turn. */
  private void lose(int... survivors) throws Exception {
    try (MailSink sink = MailSink.start();
        SmtpPeer office = SmtpPeer.start(script(false));
        SmtpPeer world = SmtpPeer.start(SmtpPeer.ACCEPTING);
        NodeProcess node = NodeProcess.fresh("e11")) {
      node.set("delivery", "smarthost", "\"127.0.0.1:" + world.port() + "\"");
      node.set("node", "directory_cache", "\"0s\"");
      node.start();
      node.routeTo(sink.port());
      node.adminOk("customer", "add", "Office");
      node.adminOk("domain", "add", "office.example", "--customer", "Office");
      for (String user : List.of("ann", "slow", "gone")) {
        node.adminOk("user", "add", user + "@office.example");
      }
      node.adminOk("user", "alias", "sales@office.example", "ann@office.example");
      node.adminOk("route", "smtp", "office.example", "127.0.0.1:" + office.port());
      node.adminOk("customer", "policy", "Office", "--flag", "0.5", "--hold", "0.9");
      node.adminOk("customer", "server", "Office", "192.0.2.0/24");
      node.adminOk("hold", "set", "Office", "--reason", "case 7");
      for (int round = 0; round < survivors.length; round++) {
        int survivor = survivors[round];
        office.follow(script(false));
        try (MailLoad load =
            MailLoad.start(
                node::smtp, new MailLoad.Plan(6, LOAD, 3_000, "user@" + NodeProcess.DOMAIN))) {
          load.awaitAll(PATIENCE);
        }
        // The load numbers its messages anew each time: each number comes once for each load.
        int all = (round + 1) * LOAD;
        send(node, "sales@office.example", "hello");
        send(node, "slow@office.example", "hello");
        send(node, "gone@office.example", "hello");
        send(node, "ann@office.example", HELD);
        Await.until(PATIENCE, () -> sink.total() == all);
        int reports = round + 1;
        Await.until(PATIENCE, () -> world.received().size() == reports);
        // Four in each round before this one, and one of this.
        int arrived = 4 * round + 1;
        Await.until(PATIENCE, () -> office.received().size() == arrived);
        String before = ledgerWith(node, "1", "1");
        String settings = settings(node);
        awaitJournal(node);
        if (survivor != 1) {
          // What the journal has counts, however the node ended.
          node.kill();
        } else {
          assertEquals(0, node.stop(PATIENCE) % 143);
        }
        Map<UUID, String> digests = digests(node, survivor);
        assertTrue(digests.size() > all, digests.size() + " messages");

        loseAllBut(node, survivor);
        NodeProcess.Outcome refused = node.startAndEnd();
        assertTrue(refused.out().contains("vault rebuild --from"), refused.out());
        rebuild(node, "store-" + (survivor + 1), survivor == 1);

        node.start();
        assertEquals(before, ledgerWith(node, "1", "1"));
        assertEquals(settings, settings(node));
        assertEquals(digests, digests(node, survivor));
        node.awaitEqualStores(PATIENCE);
        for (int store = 0; store < 3; store++) {
          assertEquals(digests, digests(node, store));
        }
        assertEquals(all, sink.total(), "delivered mail was delivered again");
        assertEquals(arrived, office.received().size());
        assertEquals(reports, world.received().size());

        // What waited and what was held goes out, each once.
        office.follow(script(true));
        String held = heldId(node);
        node.adminOk("quarantine", "release", held);
        Await.until(PATIENCE, () -> office.received().size() == arrived + 2);
        ledgerWith(node, "0", "0");
        // As it was accepted, from every store alone.
        String content = node.vault("get", held).out();
        assertTrue(content.contains(HELD), content);
        for (int store = 1; store <= 3; store++) {
          assertEquals(content, node.vault("get", held, "--store", "store-" + store).out());
        }
        assertEquals(1, node.vault("get", UUID.randomUUID().toString()).code());
        // New mail is taken for everybody who was known, and for nobody else.
        send(node, "sales@office.example", "after " + survivor);
        Await.until(PATIENCE, () -> office.received().size() == arrived + 3);
        assertEquals(0, node.vault("status").code(), () -> status(node));
      }
      long distinct =
          office.received().stream().map(each -> subject(each.text())).distinct().count();
      assertEquals(office.received().size(), distinct, "nothing came twice");
      System.out.println(
          "E10: rebuilt from each of %d stores: %d messages, 0 delivered again"
              .formatted(survivors.length, digests(node, 0).size()));
    }
  }

  private static String status(NodeProcess node) {
    try {
      return node.vault("status").out();
    } catch (IOException | InterruptedException e) {
      return e.toString();
    }
  }

  /** gone@ is refused for good; slow@ is put off, unless the server is patient. */
  private static SmtpPeer.Script script(boolean patient) {
    return (stage, argument, connection) -> {
      if (stage == SmtpPeer.Stage.RCPT && argument.contains("gone@")) {
        return new SmtpPeer.Act.Say("550 5.1.1 left the company");
      }
      if (stage == SmtpPeer.Stage.RCPT && argument.contains("slow@") && !patient) {
        return new SmtpPeer.Act.Say("450 4.2.1 later");
      }
      return new SmtpPeer.Act.Accept();
    };
  }

  private void send(NodeProcess node, String recipient, String subject) throws IOException {
    try (Socket socket = new Socket(node.smtp().getAddress(), node.smtp().getPort());
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
      String reply = "";
      for (String line :
          List.of(
              "HELO client.example",
              "MAIL FROM:<sender@client.example>",
              "RCPT TO:<" + recipient + ">",
              "DATA",
              "From: <sender@client.example>\r\nTo: <%s>\r\nDate: %s\r\nMessage-ID: <%s@client.example>\r\nSubject: %s (%d)\r\n\r\nHello.\r\n."
                  .formatted(
                      recipient,
                      DateTimeFormatter.RFC_1123_DATE_TIME.format(
                          ZonedDateTime.now(ZoneOffset.UTC)),
                      UUID.randomUUID(),
                      subject,
                      numbers.incrementAndGet()),
              "QUIT")) {
        reply = in.readLine();
        assertTrue(reply.startsWith("2") || reply.startsWith("3"), reply);
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
      }
    }
  }

  private static String subject(String text) {
    return text.lines().filter(line -> line.startsWith("Subject:")).findFirst().orElse("");
  }

  /**
   * Waits until so many of the office's are held and waiting, and nothing of acme's is; the whole
   * account. What a server counts as received is settled here only after its reply.
   */
  private static String ledgerWith(NodeProcess node, String held, String waiting) {
    String[] last = {""};
    Await.until(
        PATIENCE,
        () -> {
          try {
            last[0] = node.admin("ledger", "check").out();
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return isRow(last[0], "Office", held, waiting) && isRow(last[0], "acme", "0", "0");
        });
    assertTrue(last[0].contains("balance: 0"), last[0]);
    return last[0];
  }

  private static boolean isRow(String account, String customer, String held, String waiting) {
    String row = account.lines().filter(line -> line.startsWith(customer)).findFirst().orElse("");
    String[] columns = row.strip().split("\\s+");
    return columns.length > 5 && columns[4].equals(held) && columns[5].equals(waiting);
  }

  private static String settings(NodeProcess node) throws IOException, InterruptedException {
    return node.adminOk("customer", "list")
        + node.adminOk("domain", "list")
        + node.adminOk("user", "list", "office.example")
        + node.adminOk("hold", "list", "Office");
  }

  /** Waits until a round of the journal began after this moment and ended. */
  private static void awaitJournal(NodeProcess node) {
    for (int i = 0; i < 2; i++) {
      double[] last = {node.metric("postern_journal_lag")};
      Await.until(
          PATIENCE,
          () -> {
            double now = node.metric("postern_journal_lag");
            boolean again = now < last[0];
            last[0] = now;
            return again;
          });
    }
  }

  private static Map<UUID, String> digests(NodeProcess node, int store) throws Exception {
    DirectoryStore alone = new DirectoryStore("alone", node.stores().get(store));
    MasterKey master = MasterKey.read(node.data().resolve("master.key"));
    StoreWalk walk = new StoreWalk(alone, new KeyRing(master, new Replicas(List.of(alone), 1)));
    Map<UUID, String> digests = new TreeMap<>();
    for (UUID segment : StoreWalk.segments(alone)) {
      walk.walk(
          segment,
          (place, id, content) -> {
            try {
              byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.read().content());
              digests.put(id.value(), HexFormat.of().formatHex(digest));
            } catch (java.security.NoSuchAlgorithmException e) {
              throw new IllegalStateException(e);
            }
          });
    }
    return digests;
  }

  private static void loseAllBut(NodeProcess node, int survivor)
      throws IOException, InterruptedException {
    node.postgresPid()
        .ifPresent(
            pid -> {
              ProcessHandle postgres = ProcessHandle.of(pid).orElseThrow();
              postgres.destroyForcibly();
              Await.until(() -> !postgres.isAlive());
            });
    for (int store = 0; store < 3; store++) {
      Path directory = node.stores().get(store);
      if (store != survivor) {
        Machine.run("rm", "-rf", directory.toString());
      }
    }
    Machine.run("rm", "-rf", node.data().resolve("postgresql").toString());
  }

  private static void rebuild(NodeProcess node, String from, boolean killed)
      throws IOException, InterruptedException {
    if (killed) {
      for (int millis : new int[] {4_000, 6_000, 8_000}) {
        Process run = node.begin("vault", "rebuild", "--from", from);
        boolean ended = run.waitFor(millis, TimeUnit.MILLISECONDS);
        run.destroyForcibly().waitFor();
        if (ended && run.exitValue() == 0) {
          return;
        }
      }
    }
    NodeProcess.Outcome outcome = node.vault("rebuild", "--from", from);
    assertEquals(0, outcome.code(), outcome.out());
    assertTrue(outcome.out().contains("2 customers"), outcome.out());
  }

  private static String heldId(NodeProcess node) throws IOException, InterruptedException {
    return node.adminOk("quarantine", "list")
        .lines()
        .filter(line -> line.contains("ann@office.example"))
        .map(line -> line.substring(0, 36))
        .findFirst()
        .orElseThrow();
  }
}
