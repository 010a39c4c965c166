package net.postern.callout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.config.CalloutConfig;
import net.postern.config.HostPort;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.dns.MapResolver;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.tenant.Customer;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.Directory;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Route;
import net.postern.tenant.Submitter;
import net.postern.tenant.Tenants;
import net.postern.tenant.Validation;
import net.postern.testkit.Await;
import net.postern.testkit.ManualClock;
import net.postern.testkit.SmtpPeer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A customer's server is asked over real connections; its silence is never a no. */
class CalloutsTest {
  private static final CalloutConfig CONFIG = config(Duration.ofSeconds(20));

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path temp;

  private final Database database = TestDatabase.open();
  private final ManualClock clock = new ManualClock(Instant.parse("2026-03-01T12:00:00Z"));
  private final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();

  /** What the server says to RCPT, by address; to all others that there is no such user. */
  private final Map<String, SmtpPeer.Act> says = new ConcurrentHashMap<>();

  private final SmtpPeer.Script script =
      (stage, line, connection) -> {
        if (stage != SmtpPeer.Stage.RCPT) {
          return new SmtpPeer.Act.Accept();
        }
        String address =
            line.substring(line.indexOf('<') + 1, line.lastIndexOf('>')).toLowerCase(Locale.ROOT);
        return says.getOrDefault(
            address, says.getOrDefault("*", new SmtpPeer.Act.Say("550 5.1.1 No such user")));
      };

  private final List<AutoCloseable> open = new ArrayList<>();

  @SuppressWarnings("NullAway.Init") // start() sets it
  private SmtpPeer server;

  @SuppressWarnings("NullAway.Init") // start() sets it
  private Tenants tenants;

  @SuppressWarnings("NullAway.Init") // start() sets it
  private Customer customer;

  @SuppressWarnings("NullAway.Init") // start() sets it
  private DatabaseDirectory directory;

  private final List<Callouts> asking = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    server = SmtpPeer.start(script);
    tenants =
        new Tenants(
            database,
            new KeyRing(
                MasterKey.of(Aead.random(32)),
                new Replicas(List.of(new DirectoryStore("one", temp)), 1)));
    tenants.addCustomer("Example Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    tenants.addUser(address("listed@example.com"));
    route(server.port());
    tenants.setValidation("example.com", Validation.CALLOUT, false);
    directory = node();
    says.put("ann@example.com", new SmtpPeer.Act.Accept());
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    server.close();
    database.close();
  }

  private void route(int... ports) throws Exception {
    List<HostPort> targets = new ArrayList<>();
    for (int port : ports) {
      targets.add(new HostPort("127.0.0.1", port));
    }
    tenants.routeToServers("example.com", targets, Route.Tls.OFF);
  }

  /** Another node on the same database. */
  private DatabaseDirectory node() {
    return node(Duration.ofHours(1));
  }

  private DatabaseDirectory node(Duration remember) {
    return node(CONFIG, remember);
  }

  private static CalloutConfig config(Duration budget) {
    return new CalloutConfig(
        budget, Duration.ofDays(7), Duration.ofDays(1), Duration.ofHours(2), 2);
  }

  private DatabaseDirectory node(CalloutConfig config, Duration remember) {
    Callouts callouts =
        new Callouts(
            config, remember, "mx.test", database, tenants, new MapResolver(), events::add, clock);
    asking.add(callouts);
    open.add(callouts);
    return new DatabaseDirectory(
        database, Duration.ZERO, new Route.Mx(Route.Tls.OFF), callouts, events::add);
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  private RecipientLookup ask(String user) {
    return directory.lookup(address(user + "@example.com"));
  }

  private MailboxId found(RecipientLookup lookup) {
    return assertInstanceOf(RecipientLookup.Found.class, lookup).recipient().mailbox();
  }

  private long asked(String user) {
    return server.commands().stream()
        .filter(each -> each.startsWith("RCPT TO:<" + user + "@"))
        .count();
  }

  private List<MailEvent.DirectoryNotice> notices(MailEvent.DirectoryMatter matter) {
    return events.stream()
        .map(MailEvent.DirectoryNotice.class::cast)
        .filter(each -> each.matter() == matter)
        .toList();
  }

  @Test
  void whoExistsIsFoundWithAMailboxOfTheirOwnAndNobodyElseIs() {
    MailboxId ann = found(ask("Ann"));
    assertEquals(Optional.of(ann), tenants.findMailbox(address("ann@example.com")));
    assertEquals(new RecipientLookup.UnknownUser(customer.id()), ask("bob"));
    assertTrue(tenants.findMailbox(address("bob@example.com")).isEmpty(), "no key for a guess");
    // The control: who is listed is not asked for.
    found(ask("listed"));
    assertEquals(0, asked("listed"));
    assertTrue(server.commands().contains("MAIL FROM:<>"), server.commands()::toString);
    assertTrue(server.received().isEmpty());
    assertEquals(1, server.connections(), "one connection is kept");
  }

  @Test
  void answersCountForTheirLivesOnEveryNode() {
    MailboxId ann = found(ask("ann"));
    ask("bob");
    DatabaseDirectory other = node();
    for (int i = 0; i < 3; i++) {
      assertEquals(ann, found(other.lookup(address("ann@example.com"))));
      assertInstanceOf(RecipientLookup.UnknownUser.class, other.lookup(address("bob@example.com")));
    }
    assertEquals(1, asked("ann"));
    assertEquals(1, asked("bob"));

    // A no is asked anew after its life, and may have become a yes.
    says.put("bob@example.com", new SmtpPeer.Act.Accept());
    clock.advance(Duration.ofMinutes(119));
    assertInstanceOf(RecipientLookup.UnknownUser.class, ask("bob"));
    clock.advance(Duration.ofMinutes(2));
    found(ask("bob"));

    // A yes that is a day old is repeated at once and asked for in the background.
    clock.advance(Duration.ofDays(1));
    found(ask("ann"));
    // The clock stands still until the answer is entered: it is from when it came.
    Await.until(() -> asked("ann") == 2 && asking.stream().allMatch(Callouts::isIdle));
    says.remove("ann@example.com");
    clock.advance(Duration.ofDays(2));
    Await.until(() -> ask("ann") instanceof RecipientLookup.UnknownUser);
    // Its mailbox is not gone for that.
    assertEquals(Optional.of(ann), tenants.findMailbox(address("ann@example.com")));
    says.put("ann@example.com", new SmtpPeer.Act.Accept());
    clock.advance(Duration.ofHours(3));
    // The question before may not have quite ended.
    Await.until(() -> ask("ann") instanceof RecipientLookup.Found);
    assertEquals(ann, found(ask("ann")));
  }

  @Test
  void whileTheServerIsAwayAKnownYesStaysAndNobodyIsUnknown() throws Exception {
    MailboxId ann = found(ask("ann"));
    ask("bob");
    int port = server.port();
    server.close();
    clock.advance(Duration.ofDays(30));
    assertEquals(ann, found(ask("ann")));
    for (String each : List.of("bob", "never")) {
      assertInstanceOf(RecipientLookup.Unavailable.class, ask(each), each);
    }
    assertEquals(1, notices(MailEvent.DirectoryMatter.CALLOUT).size());
    CalloutReport.Domain report = new CalloutReport(database).of("example.com");
    assertTrue(report.trouble().contains(":" + port), report::toString);
    assertEquals(1, report.known());
    assertEquals(1, report.unknown());

    // Where the customer wants it so, what cannot be said is taken, for a mailbox of all.
    tenants.setValidation("example.com", Validation.CALLOUT, true);
    MailboxId shared = found(ask("never"));
    assertNotEquals(ann, shared);
    assertEquals(shared, found(ask("other")));
    assertTrue(tenants.findMailbox(address("never@example.com")).isEmpty());
  }

  @Test
  void whatIsNoAnswerAboutTheAddressIsNeverANo() throws Exception {
    List<SmtpPeer.Act> silences =
        List.of(
            new SmtpPeer.Act.Say("451 4.7.1 Greylisted"),
            new SmtpPeer.Act.Say("554 5.7.1 Blocked"),
            new SmtpPeer.Act.Say("550 5.7.1 Go away"),
            new SmtpPeer.Act.SayAndDrop("421 4.3.2 Bye"),
            new SmtpPeer.Act.Drop(),
            new SmtpPeer.Act.Say("nonsense"));
    int number = 0;
    for (SmtpPeer.Act each : silences) {
      String user = "u" + number++;
      says.put(user + "@example.com", each);
      assertInstanceOf(RecipientLookup.Unavailable.class, ask(user), each.toString());
      // The control: the server can still say no.
      assertInstanceOf(RecipientLookup.UnknownUser.class, ask("no" + user), each.toString());
    }
    server.follow(
        (stage, line, connection) ->
            stage == SmtpPeer.Stage.MAIL
                ? new SmtpPeer.Act.Say("550 5.1.1 no null sender here")
                : new SmtpPeer.Act.Accept());
    assertInstanceOf(RecipientLookup.Unavailable.class, ask("refused-at-mail"));
  }

  @Test
  void aServerThatHangsCostsTheBudgetAndNoMore() throws Exception {
    says.put("slow@example.com", new SmtpPeer.Act.Hang());
    DatabaseDirectory hasty = node(config(Duration.ofSeconds(2)), Duration.ofHours(1));
    long start = System.nanoTime();
    assertInstanceOf(RecipientLookup.Unavailable.class, hasty.lookup(address("slow@example.com")));
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    // The others' budget is longer, and without one it would never end.
    assertTrue(took.compareTo(Duration.ofSeconds(15)) < 0, took::toString);
    // The next server of the route answers.
    SmtpPeer second = SmtpPeer.start(SmtpPeer.ACCEPTING);
    open.add(second);
    server.close();
    route(server.port(), second.port());
    found(ask("elsewhere"));
  }

  @Test
  void oneQuestionForAnAddressAndFewAtOneTime() throws Exception {
    try (ExecutorService many = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<RecipientLookup>> answers = new ArrayList<>();
      // Many for two connections to the server; more would wait in vain for the database's four.
      for (int i = 0; i < 24; i++) {
        String user = i % 2 == 0 ? "ann" : "u" + i % 6;
        answers.add(CompletableFuture.supplyAsync(() -> ask(user), many));
      }
      for (CompletableFuture<RecipientLookup> each : answers) {
        RecipientLookup answer = each.get();
        assertTrue(!(answer instanceof RecipientLookup.Unavailable), answer::toString);
      }
    }
    assertEquals(1, asked("ann"));
    assertEquals(1, asked("u1"));
    assertTrue(server.mostAtOnce() <= CONFIG.connections(), () -> "" + server.mostAtOnce());
  }

  @Test
  void aServerThatTakesEverythingIsNoticedAndMakesNoMailboxes() {
    says.put("*", new SmtpPeer.Act.Accept());
    MailboxId shared = found(ask("guess1"));
    assertEquals(shared, found(ask("guess2")));
    assertEquals(
        "",
        assertInstanceOf(RecipientLookup.Found.class, ask("guess2")).listed(),
        "a yes to everything proves nothing");
    assertTrue(tenants.findMailbox(address("guess1@example.com")).isEmpty());
    assertEquals(1, notices(MailEvent.DirectoryMatter.ACCEPTS_ALL).size());
    assertEquals(0, asked("guess2"), "what it would say is known");
    assertEquals(Optional.of(true), new CalloutReport(database).of("example.com").takesAll());

    // It is looked at again, and believed when it has learnt.
    says.remove("*");
    clock.advance(Duration.ofDays(1).plusMinutes(1));
    assertInstanceOf(RecipientLookup.UnknownUser.class, ask("guess1"));
    assertNotEquals(shared, found(ask("ann")));
    assertTrue(notices(MailEvent.DirectoryMatter.ACCEPTS_ALL).getLast().well());
  }

  @Test
  void aServerThatTurnsAgainstUsHasNotLostItsUsers() {
    says.put("postmaster@example.com", new SmtpPeer.Act.Accept());
    says.put("cat@example.com", new SmtpPeer.Act.Accept());
    MailboxId ann = found(ask("ann"));
    found(ask("cat"));
    says.clear();
    says.put("*", new SmtpPeer.Act.Say("550 we do not like you"));
    clock.advance(Duration.ofDays(8));
    assertEquals(ann, found(ask("ann")));
    // The control: it still knows its postmaster, so it does mean the user.
    says.put("postmaster@example.com", new SmtpPeer.Act.Accept());
    assertInstanceOf(RecipientLookup.UnknownUser.class, ask("cat"));
  }

  @Test
  void detailsShareTheMailboxAndAreAskedForAsTheyAre() {
    says.put("ann+shop@example.com", new SmtpPeer.Act.Accept());
    MailboxId ann = found(ask("ann+shop"));
    assertEquals(ann, found(ask("ann")));
    assertEquals(1, asked("ann+shop"));
    assertInstanceOf(RecipientLookup.UnknownUser.class, ask("ann+other"));
    assertInstanceOf(
        RecipientLookup.Found.class,
        directory.lookup(address("listed+any@example.com")),
        "who is listed is not asked for, detail or not");
  }

  @Test
  void aSuspectClientMakesNoQuestions() {
    EmailAddress ann = address("ann@example.com");
    EmailAddress bob = address("bob@example.com");
    Optional<MailboxId> shared =
        database.row(
            "select catch_all_mailbox from domain where name = 'example.com'",
            row -> new MailboxId(row.getObject(1, java.util.UUID.class)));
    assertTrue(shared.isPresent());
    assertEquals(
        new RecipientLookup.Unasked(customer.id(), Optional.empty(), shared),
        directory.lookup(ann, Directory.Asking.FORBIDDEN));
    assertEquals(0, server.connections());
    MailboxId mailbox = found(directory.lookup(ann, Directory.Asking.ALLOWED));
    directory.lookup(bob, Directory.Asking.ALLOWED);
    found(directory.lookup(ann, Directory.Asking.FORBIDDEN));
    assertInstanceOf(
        RecipientLookup.UnknownUser.class, directory.lookup(bob, Directory.Asking.FORBIDDEN));
    // What is due to be asked again, at once or in the background, is not asked for it either.
    for (Duration later : List.of(Duration.ofDays(2), Duration.ofDays(30))) {
      clock.advance(later);
      assertEquals(
          new RecipientLookup.Unasked(customer.id(), Optional.of(mailbox), shared),
          directory.lookup(ann, Directory.Asking.FORBIDDEN));
    }
    assertEquals(1, asked("ann"));
  }

  /** Whoever sends may write any address as its sender: that is no reason to ask a server. */
  @Test
  void whoMaySendAsWhomIsAskedOfNoServer() {
    MailboxId ann = found(ask("ann"));
    Submitter user = new Submitter(Submitter.Kind.USER, customer.id(), ann, "ann@example.com");
    Submitter registered =
        new Submitter(Submitter.Kind.SERVER, customer.id(), MailboxId.create(), "192.0.2.1");
    Submitter others =
        new Submitter(Submitter.Kind.SERVER, CustomerId.create(), MailboxId.create(), "192.0.2.2");
    clock.advance(Duration.ofDays(30));
    int before = server.commands().size();
    assertEquals(Submitter.Owns.YES, user.owns(directory, address("ann@example.com")));
    assertEquals(Submitter.Owns.NO, user.owns(directory, address("guess@example.com")));
    assertEquals(Submitter.Owns.YES, user.ownsDomain(directory, address("guess@example.com")));
    assertEquals(Submitter.Owns.YES, registered.owns(directory, address("guess@example.com")));
    assertEquals(Submitter.Owns.NO, others.owns(directory, address("guess@example.com")));
    assertEquals(Submitter.Owns.NO, others.ownsDomain(directory, address("guess@example.com")));
    assertEquals(before, server.commands().size());
    // The control: mail for it does ask.
    assertInstanceOf(RecipientLookup.UnknownUser.class, ask("guess"));
    assertEquals(1, asked("guess"));
  }

  /** Each question to a database that is away waits for seconds; RCPTs come by the hundred. */
  @Test
  void aDatabaseThatIsAwayIsWaitedForOnceAndAskedAgainSoon() throws Exception {
    tenants.addDomain(customer, "example.net", false);
    CalloutAnswers answers = new CalloutAnswers(database);
    answers.put(address("kept@example.com"), true, clock.instant(), "250 Ok");
    answers.trouble("example.com", "away", clock.instant());
    AtomicLong nanos = new AtomicLong();
    CalloutAnswers other = new CalloutAnswers(database, nanos::get);
    TestDatabase.takeAway(database);
    assertEquals(Optional.empty(), other.find(address("kept@example.com")));
    assertTrue(other.isAway());
    TestDatabase.bringBack(database);

    // It would answer again, and is not asked.
    nanos.addAndGet(Duration.ofMillis(999).toNanos());
    assertEquals(Optional.empty(), other.find(address("kept@example.com")));
    assertEquals(CalloutAnswers.Domain.NEW, other.domain("example.com"));
    other.put(address("new@example.com"), true, clock.instant(), "250 Ok");
    other.trouble("example.net", "away", clock.instant());
    assertTrue(other.find(address("new@example.com")).isPresent(), "it is in memory");
    CalloutAnswers fresh = new CalloutAnswers(database);
    assertEquals(Optional.empty(), fresh.find(address("new@example.com")));
    assertEquals(CalloutAnswers.Domain.NEW, fresh.domain("example.net"));

    // The control: it is only left alone for a moment.
    nanos.addAndGet(Duration.ofMillis(1).toNanos());
    assertTrue(other.find(address("kept@example.com")).isPresent());
    assertEquals("away", other.domain("example.com").trouble());
    other.trouble("example.net", "away", clock.instant());
    other.put(address("newer@example.com"), true, clock.instant(), "250 Ok");
    assertTrue(fresh.find(address("newer@example.com")).isPresent());
    assertEquals("away", new CalloutAnswers(database).domain("example.net").trouble());
  }

  @Test
  void withoutTheDatabaseWhatIsInMemoryCounts() {
    found(ask("ann"));
    ask("bob");
    TestDatabase.takeAway(database);
    found(ask("ann"));
    assertInstanceOf(RecipientLookup.Unavailable.class, ask("never"));
    TestDatabase.bringBack(database);
  }

  /** It may be erased meanwhile, which nobody can say while the database is away. */
  @Test
  void aMailboxThatWasMadeAnswersNoLongerThanItIsRemembered() {
    DatabaseDirectory forgetful = node(Duration.ZERO);
    found(forgetful.lookup(address("ann@example.com")));
    found(ask("ann"));
    TestDatabase.takeAway(database);
    assertInstanceOf(
        RecipientLookup.Unavailable.class, forgetful.lookup(address("ann@example.com")));
    // The control: another node remembers for an hour.
    found(ask("ann"));
    TestDatabase.bringBack(database);
  }

  @Test
  void aRestartedServerAndADomainWithoutOne() throws Exception {
    found(ask("ann"));
    server.dropConnections();
    Await.until(() -> server.openConnections() == 0);
    assertInstanceOf(RecipientLookup.UnknownUser.class, ask("bob"));
    tenants.routeToMaildir("example.com", temp.resolve("mail"));
    RecipientLookup.Unavailable why =
        assertInstanceOf(RecipientLookup.Unavailable.class, ask("cat"));
    assertTrue(why.why().contains("route"), why::toString);
  }

  @Test
  void answersThatAreTooOldAreForgotten() throws IOException {
    found(ask("ann"));
    ask("bob");
    clock.advance(Duration.ofHours(3));
    tidy();
    assertEquals(1, rows(), "the no is of no use any more");
    clock.advance(Duration.ofDays(300));
    tidy();
    assertEquals(0, rows());
  }

  private void tidy() {
    open.stream().map(Callouts.class::cast).forEach(Callouts::tidy);
  }

  private long rows() {
    return database
        .row("select count(*) n from callout_answer", row -> row.getLong("n"))
        .orElseThrow();
  }
}
