package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.config.ConfigLoader;
import net.postern.config.DatabaseConfig;
import net.postern.config.HostPort;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.ledger.Balance;
import net.postern.ledger.LedgerRebuild;
import net.postern.tenant.Customer;
import net.postern.tenant.Route;
import net.postern.tenant.Tenants;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The database is gone: what one store and the master key give back, and what they refuse. */
class RebuildTest {
  private static final String HELD = "URGENT: CONFIRM YOUR ACCOUNT NOW";

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  private String database = "";

  @BeforeEach
  void newDatabase() {
    DatabaseConfig config = TestDatabase.config();
    database =
        "[database]\nurl = \"%s\"\nuser = \"%s\"\npassword = \"%s\"\nconnections = 4\n"
            .formatted(config.url().orElseThrow(), config.user(), config.password());
  }

  private PosternConfig config() {
    return ConfigLoader.fromText(
        """
        [node]
        hostname = "mx.host.example"
        data = "data"
        drain = "4s"
        directory_cache = "0s"
        [edge]
        listen = ["127.0.0.1:0"]
        starttls = false
        [vault]
        reserve = "1 MiB"
        """
            + database,
        directory);
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  private static void send(Node node, String recipient, String subject) throws IOException {
    try (Socket socket =
            new Socket(
                node.smtpPorts().getFirst().getAddress(), node.smtpPorts().getFirst().getPort());
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
      String last = "";
      for (String line :
          List.of(
              "HELO client.example",
              "MAIL FROM:<sender@example.net>",
              "RCPT TO:<" + recipient + ">",
              "DATA",
              "From: <sender@example.net>\r\nTo: <%s>\r\nDate: %s\r\nMessage-ID: <%s@example.net>\r\nSubject: %s\r\n\r\nHello.\r\n."
                  .formatted(
                      recipient,
                      DateTimeFormatter.RFC_1123_DATE_TIME.format(
                          ZonedDateTime.now(ZoneOffset.UTC)),
                      UUID.randomUUID(),
                      subject),
              "QUIT")) {
        last = in.readLine();
        assertTrue(last.startsWith("2") || last.startsWith("3"), last);
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
      }
      last = in.readLine();
      assertTrue(last.startsWith("221"), last);
    }
  }

  /** A node that has delivered, held and waiting mail of two customers; it is stopped. */
  private void history(SmtpPeer next) throws Exception {
    try (Node node = Node.start(config())) {
      Tenants tenants = node.tenants();
      for (String name : List.of("one", "two")) {
        tenants.addCustomer(name);
        Customer customer = tenants.findCustomer(name).orElseThrow();
        tenants.setPolicy(customer, 0.5, 0.9, 90, "");
        tenants.addDomain(customer, name + ".example", false);
        tenants.addUser(address("ann@" + name + ".example"));
        tenants.routeToServers(
            name + ".example",
            List.of(HostPort.parse("127.0.0.1:" + next.port()).orElseThrow()),
            Route.Tls.OFF);
      }
      tenants.addUser(address("slow@one.example"));
      for (int i = 0; i < 3; i++) {
        send(node, "ann@one.example", "number " + i);
      }
      send(node, "ann@two.example", "number 3");
      send(node, "ann@one.example", HELD);
      send(node, "slow@one.example", "number 4");
      Await.until(() -> states(node.database()).equals("delivered 4, held 1, waiting 1"));
    }
  }

  /** Takes everything but what is for slow@one.example. */
  private static SmtpPeer.Script script(boolean patient) {
    return (stage, argument, connection) ->
        stage == SmtpPeer.Stage.RCPT && argument.contains("slow@") && !patient
            ? new SmtpPeer.Act.Say("450 4.2.1 later")
            : new SmtpPeer.Act.Accept();
  }

  private static String states(Database of) {
    List<Balance> all = Balance.all(of);
    assertEquals(0, all.stream().mapToLong(Balance::difference).sum());
    return "delivered %d, held %d, waiting %d"
        .formatted(
            all.stream().mapToLong(Balance::delivered).sum(),
            all.stream().mapToLong(Balance::held).sum(),
            all.stream().mapToLong(Balance::waiting).sum());
  }

  private void deleteAllBut(int store) throws IOException {
    for (int i = 1; i <= 3; i++) {
      if (i != store) {
        delete(directory.resolve("data/store-" + i));
      }
    }
    newDatabase();
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private Rebuild.Report rebuild(String from) throws StartException {
    return Rebuild.run(config(), from, new PrintWriter(new StringWriter()));
  }

  private String refusal(String from) {
    return String.valueOf(assertThrows(StartException.class, () -> rebuild(from)).getMessage());
  }

  @Test
  void aNodeGoesOnWhereTheLostOneWas() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      assertEquals(4, next.received().size());
      deleteAllBut(2);

      // A node would deliver everything again: it does not start.
      String why =
          String.valueOf(
              assertThrows(StartException.class, () -> Node.start(config())).getMessage());
      assertTrue(why.contains("vault rebuild --from store-2"), why);

      Rebuild.Report report = rebuild("store-2");
      assertTrue(report.whole());
      assertEquals(6, report.messages());
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals("delivered 4, held 1, waiting 1", states(again));
      }
      next.follow(script(true));
      try (Node node = Node.start(config())) {
        Await.until(() -> states(node.database()).equals("delivered 5, held 1, waiting 0"));
        send(node, "ann@two.example", "number 5");
        Await.until(() -> states(node.database()).equals("delivered 6, held 1, waiting 0"));
        // Only the one that waited and the new one: nothing twice.
        assertEquals(6, next.received().size());
        for (int i = 0; i < 6; i++) {
          String subject = "Subject: number " + i;
          assertEquals(
              1, next.received().stream().filter(each -> each.text().contains(subject)).count());
        }
        Await.until(
            () -> {
              try {
                return StoreCensus.frames(config()).stream().distinct().count() == 1;
              } catch (StartException | IOException e) {
                return false;
              }
            });
      }
      // And once more, from a store that was empty.
      deleteAllBut(3);
      assertTrue(rebuild(directory.resolve("data/store-3").toString()).whole());
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals("delivered 6, held 1, waiting 0", states(again));
      }
    }
  }

  @Test
  void whatIsNotEmptyOrNotThereIsRefused() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      assertTrue(refusal("store-1").contains("not empty"));
      assertTrue(refusal("store-7").contains("none of the configured stores: store-1"));
      assertTrue(refusal("/tmp").contains("none of the configured stores"));
      try (Node _ = Node.start(config())) {
        assertTrue(refusal("store-1").contains("another Postern runs"));
      }
      deleteAllBut(2);
      assertTrue(refusal("store-1").contains("neither mail nor settings"));
      assertTrue(rebuild("store-2").whole(), "the control");
      assertTrue(refusal("store-2").contains("not empty"));
    }
  }

  @Test
  void anInterruptedOneGoesOnAndNoNodeStartsMeanwhile() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      deleteAllBut(1);
      try (Database half = Database.open(config().database(), directory)) {
        new LedgerRebuild(half).begin("store-1");
      }
      String why =
          String.valueOf(
              assertThrows(StartException.class, () -> Node.start(config())).getMessage());
      assertTrue(why.contains("interrupted"), why);
      assertTrue(
          refusal("store-2").contains("neither"), "an empty store is no store to go on with");
      assertTrue(rebuild("store-1").whole());
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals("delivered 4, held 1, waiting 1", states(again));
      }
    }
  }

  @Test
  void damageIsCountedAndTheRestComesBack() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      deleteAllBut(1);
      Path segment;
      try (Stream<Path> files = Files.walk(directory.resolve("data/store-1/segments"))) {
        segment = files.filter(Files::isRegularFile).findFirst().orElseThrow();
      }
      byte[] bytes = Files.readAllBytes(segment);
      bytes[200] ^= 1;
      Files.write(segment, bytes);
      Rebuild.Report report = rebuild("store-1");
      assertEquals(1, report.damaged());
      assertEquals(5, report.messages());
      assertFalse(report.whole());
    }
  }

  @Test
  void withoutSettingsTheKeysTellWhatTheyCan() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      deleteAllBut(1);
      delete(directory.resolve("data/store-1/settings"));
      StringWriter said = new StringWriter();
      Rebuild.Report report = Rebuild.run(config(), "store-1", new PrintWriter(said));
      assertFalse(report.whole(), "it says that something is lacking");
      assertTrue(said.toString().contains("customer \"one\" has no settings"), said.toString());
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals("delivered 4, held 1, waiting 1", states(again));
      }
    }
  }
}
