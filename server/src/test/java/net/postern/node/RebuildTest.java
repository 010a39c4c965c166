package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.config.ConfigLoader;
import net.postern.config.DatabaseConfig;
import net.postern.config.HostPort;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.ledger.Balance;
import net.postern.ledger.LedgerRebuild;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.SegmentTable;
import net.postern.tenant.Customer;
import net.postern.tenant.Route;
import net.postern.tenant.Settings;
import net.postern.tenant.Tenants;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import net.postern.vault.StoreWalk;
import net.postern.vault.VaultUnavailableException;
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
        [observe]
        listen = ""
        [vault]
        reserve = "1 MiB"
        store_wait = "20s"
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

  /** What was erased does not come back, and is no damage. */
  @Test
  void whatWasErasedStaysErased() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      try (Workbench bench = Workbench.open(config())) {
        Erasing erasing = bench.erasing();
        Erasing.Outcome outcome =
            erasing.mailbox(erasing.erasures().find(address("ann@one.example")));
        assertEquals(1, outcome.removed(), "the one that was held");
        assertEquals(List.of(), outcome.lacking());
      }
      deleteAllBut(2);
      Rebuild.Report report = rebuild("store-2");
      assertTrue(report.whole(), report::toString);
      assertEquals(4, report.erased());
      assertEquals(6, report.messages());
      try (Workbench bench = Workbench.open(config())) {
        assertEquals("delivered 1, held 0, waiting 1", states(bench.database()));
        assertEquals(Optional.empty(), bench.tenants().findMailbox(address("ann@one.example")));
        assertTrue(bench.tenants().findMailbox(address("slow@one.example")).isPresent());
        bench.erasing().customer(bench.tenants().findCustomer("one").orElseThrow());
      }
      deleteAllBut(2);
      report = rebuild("store-2");
      assertTrue(report.whole(), report::toString);
      assertEquals(5, report.erased());
      try (Workbench bench = Workbench.open(config())) {
        assertEquals("delivered 1, held 0, waiting 0", states(bench.database()));
        assertEquals(
            List.of("two.example"),
            bench.tenants().domains().stream().map(Tenants.DomainListed::name).toList());
      }
    }
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

  /** The store that is named has a gap, and the next start reads the mail of all of them. */
  @Test
  void whatOnlyAnotherStoreKnowsCountsToo() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      Path poor = directory.resolve("data/store-2");
      Path before = directory.resolve("before");
      copy(poor.resolve("settings"), before);
      try (Workbench bench = Workbench.open(config())) {
        bench.tenants().addUser(address("late@two.example"));
      }
      delete(poor.resolve("settings"));
      copy(before, poor.resolve("settings"));
      delete(poor.resolve("journal"));
      newDatabase();
      Rebuild.Report report = rebuild("store-2");
      assertTrue(report.whole(), report::toString);
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals("delivered 4, held 1, waiting 1", states(again));
        assertTrue(knows(again, "late@two.example"));
      }
      // The control: that store alone is enough, for what it has.
      deleteAllBut(2);
      assertTrue(rebuild("store-2").whole());
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals("delivered 0, held 1, waiting 5", states(again));
        assertFalse(knows(again, "late@two.example"));
        assertTrue(knows(again, "ann@two.example"));
      }
    }
  }

  private static boolean knows(Database of, String address) {
    return of.row(
            "select exists (select from address where address = ?) there",
            row -> row.getBoolean("there"),
            address)
        .orElse(false);
  }

  private static void copy(Path tree, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(tree.relativize(file).toString()));
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

  /** It may have been killed after its last step, before anybody was told. */
  @Test
  void askedForAgainItSaysTheSameUntilANodeHasUsedIt() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      deleteAllBut(1);
      Rebuild.Report first = rebuild("store-1");
      Rebuild.Report again = rebuild("store-1");
      assertEquals(first.customers(), again.customers());
      assertTrue(again.whole());
      try (Database whole = Database.open(config().database(), directory)) {
        assertEquals("delivered 4, held 1, waiting 1", states(whole));
      }
      try (Node _ = Node.start(config())) {
        // It is in use from here on.
      }
      assertTrue(refusal("store-1").contains("not empty"));
    }
  }

  /** The store of the rebuild took only a part of a segment; the others have the rest. */
  @Test
  void whatOtherStoresHaveMoreIsEnteredAsTheJournalSays() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      DirectoryStore store = new DirectoryStore("alone", directory.resolve("data/store-1"));
      UUID segment = StoreWalk.segments(store).getFirst();
      Path file =
          directory
              .resolve("data/store-1/segments")
              .resolve(segment.toString().substring(0, 2))
              .resolve(segment.toString());
      byte[] bytes = Files.readAllBytes(file);
      ByteBuffer head = ByteBuffer.wrap(bytes);
      int first = head.getInt(40 + 8);
      Files.write(file, Arrays.copyOf(bytes, 40 + first));
      newDatabase();

      Rebuild.Report report = rebuild("store-1");
      assertTrue(report.whole(), "a clean end looks like any other");
      assertEquals(1, report.messages());
      try (Database again = Database.open(config().database(), directory)) {
        assertEquals(Set.of(), new SegmentTable(again).recorded());
      }
      try (Node node = Node.start(config())) {
        Await.until(() -> states(node.database()).equals("delivered 4, held 1, waiting 1"));
        Await.until(() -> new SegmentTable(node.database()).recorded().contains(segment));
        Await.until(() -> new LedgerRebuild(node.database()).walked().isEmpty());
        assertEquals(4, next.received().size(), "nothing twice");
      }
      assertArrayEquals(bytes, Files.readAllBytes(file), "the store has all of it again");
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

  @Test
  void aLookNeitherNeedsADatabaseNorMakesAnything() throws Exception {
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      MessageId id;
      try (Database database = Database.open(config().database(), directory)) {
        id = new MessageQueries(database).held(Optional.empty(), 1).getFirst().key().message();
      }
      VaultLook look = new VaultLook(config());
      assertFalse(look.nodeRuns());
      assertTrue(look.stores().stream().allMatch(each -> each.up() && each.lacking() == 0));
      delete(directory.resolve("data/store-1"));
      // A database that knows nothing: every segment is looked into.
      newDatabase();
      VaultLook bereft = new VaultLook(config());
      byte[] content = bereft.get(id, Optional.of("store-3"));
      assertTrue(new String(content, StandardCharsets.US_ASCII).contains(HELD));
      assertArrayEquals(content, bereft.get(id, Optional.empty()));
      String none =
          String.valueOf(
              assertThrows(
                      VaultUnavailableException.class,
                      () -> bereft.get(MessageId.create(), Optional.empty()))
                  .getMessage());
      assertTrue(none.contains("is in none of: store-2, store-3"), none);
      assertThrows(StartException.class, () -> bereft.get(id, Optional.of("store-1")));
      List<VaultLook.Store> stores = bereft.stores();
      assertEquals("its directory is missing", stores.getFirst().problem());
      assertTrue(stores.getFirst().lacking() > 0);
      assertTrue(stores.getLast().up());
      VaultLook.Kind nothing = new VaultLook.Kind(0, 0);
      assertEquals(2, stores.getLast().kinds().getOrDefault("settings", nothing).objects());
      assertFalse(Files.exists(directory.resolve("data/store-1")));
      try (DataDirectory _ = DataDirectory.claim(config().node().data())) {
        assertTrue(bereft.nodeRuns());
      }
      assertFalse(bereft.nodeRuns());
    }
  }

  /** The reader that docs/vault.md prints, as it stands there. */
  @Test
  void aReaderInAnotherLanguageReadsAStoreAlone() throws Exception {
    Path script = directory.resolve("reader.py");
    String page = Files.readString(Path.of("../docs/vault.md"));
    int from = page.indexOf("```python\n") + "```python\n".length();
    Files.writeString(script, page.substring(from, page.indexOf("```", from)));
    assumeTrue(
        python(List.of("-c", "import cryptography")) == 0, "python3-cryptography is not installed");
    try (SmtpPeer next = SmtpPeer.start(script(false))) {
      history(next);
      Path store = directory.resolve("data/store-3");
      Path out = Files.createDirectory(directory.resolve("out"));
      assertEquals(
          0,
          python(
              List.of(
                  script.toString(),
                  store.toString(),
                  directory.resolve("data/master.key").toString(),
                  out.toString())));
      DirectoryStore alone = new DirectoryStore("alone", store);
      KeyRing keys =
          new KeyRing(
              MasterKey.read(directory.resolve("data/master.key")),
              new Replicas(List.of(alone), 1));
      StoreWalk walk = new StoreWalk(alone, keys);
      int[] messages = new int[1];
      for (UUID segment : StoreWalk.segments(alone)) {
        walk.walk(
            segment,
            (place, id, content) -> {
              messages[0]++;
              assertArrayEquals(
                  content.read().content(), Files.readAllBytes(out.resolve(id + ".eml")));
              assertArrayEquals(
                  content.read().meta(), Files.readAllBytes(out.resolve(id + ".json")));
            });
      }
      assertEquals(6, messages[0]);
      List<String> journal = Files.readAllLines(out.resolve("journal.txt"));
      assertEquals(4, journal.size());
      assertTrue(journal.stream().allMatch(line -> line.endsWith(" 0 DELIVERED")));
      StringBuilder settings = new StringBuilder();
      for (CustomerId each : Settings.listed(alone)) {
        settings.append(Files.readString(out.resolve("settings-" + each + ".json")));
      }
      assertTrue(settings.toString().contains("ann@one.example"));
      assertTrue(settings.toString().contains("ann@two.example"));
    }
  }

  private int python(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("python3"));
    command.addAll(arguments);
    Process run;
    try {
      run = new ProcessBuilder(command).inheritIO().start();
    } catch (IOException e) {
      return -1;
    }
    assertTrue(run.waitFor(1, TimeUnit.MINUTES));
    return run.exitValue();
  }
}
