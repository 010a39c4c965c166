package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseDirectoryTest {
  private static final Route OUT = new Route.Mx(Route.Tls.OPPORTUNISTIC);

  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private Tenants tenants;
  private Customer customer;
  private MailboxId ann;

  @BeforeEach
  void fill() throws Exception {
    tenants =
        new Tenants(
            database,
            new KeyRing(
                MasterKey.of(Aead.random(32)),
                new Replicas(List.of(new DirectoryStore("one", temp)), 1)));
    customer = add("Example Ltd");
    tenants.addDomain(customer, "example.com", false);
    tenants.addDomain(customer, "all.example", true);
    ann = tenants.addUser(address("Ann@Example.com"));
    tenants.addUser(address("ann+own@example.com"));
    tenants.addUser(address("known@all.example"));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private Customer add(String name) throws TenantException {
    tenants.addCustomer(name);
    return tenants.findCustomer(name).orElseThrow();
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  private DatabaseDirectory directory(Duration fresh) {
    return new DatabaseDirectory(database, fresh, OUT);
  }

  private static Recipient found(RecipientLookup lookup) {
    return assertInstanceOf(RecipientLookup.Found.class, lookup).recipient();
  }

  /** RFC 5233: user+detail is user, unless the whole is an address of its own. */
  @Test
  void exactThenSubaddressThenCatchAllWhateverTheCase() {
    DatabaseDirectory directory = directory(Duration.ZERO);
    for (String text : List.of("ann@example.com", "ANN@EXAMPLE.COM", "ann+x@example.com")) {
      Recipient recipient = found(directory.lookup(address(text)));
      assertEquals(ann, recipient.mailbox(), text);
      assertEquals(customer.id(), recipient.customer());
      assertEquals(address(text), recipient.address(), "as the client wrote it");
    }
    assertNotEquals(ann, found(directory.lookup(address("Ann+Own@example.com"))).mailbox());
    assertEquals(
        new RecipientLookup.UnknownUser(customer.id()),
        directory.lookup(address("bob@example.com")));
    assertEquals(
        new RecipientLookup.UnknownUser(customer.id()),
        directory.lookup(address("+ann@example.com")));
    assertEquals(new RecipientLookup.NotOurs(), directory.lookup(address("ann@sub.example.com")));
    assertEquals(new RecipientLookup.NotOurs(), directory.lookup(address("ann@[192.0.2.1]")));

    MailboxId all = found(directory.lookup(address("anything@all.example"))).mailbox();
    assertEquals(all, found(directory.lookup(address("other+x@all.example"))).mailbox());
    assertNotEquals(all, found(directory.lookup(address("known@all.example"))).mailbox());
    assertNotEquals(all, found(directory.lookup(address("known+x@all.example"))).mailbox());
  }

  /** What a stranger knows who got a yes: nothing, where everything is taken. */
  @Test
  void whichAddressIsListedIsTold() {
    DatabaseDirectory directory = directory(Duration.ofHours(1));
    for (int round = 0; round < 2; round++) {
      assertEquals("ann@example.com", listed(directory, "Ann@example.com"));
      assertEquals("ann@example.com", listed(directory, "ann+x" + round + "@example.com"));
      assertEquals("ann+own@example.com", listed(directory, "ann+own@example.com"));
      assertEquals("postmaster@example.com", listed(directory, "Postmaster+9@example.com"));
      assertEquals("known@all.example", listed(directory, "known+x@all.example"));
      assertEquals("", listed(directory, "anything@all.example"));
    }
  }

  private static String listed(DatabaseDirectory directory, String text) {
    return assertInstanceOf(RecipientLookup.Found.class, directory.lookup(address(text))).listed();
  }

  @Test
  void anAnswerIsFreshForItsTimeAndNoLonger() throws Exception {
    DatabaseDirectory lasting = directory(Duration.ofHours(1));
    DatabaseDirectory direct = directory(Duration.ZERO);
    RecipientLookup unknown = new RecipientLookup.UnknownUser(customer.id());
    assertEquals(unknown, lasting.lookup(address("new@example.com")));
    assertEquals(unknown, direct.lookup(address("new@example.com")));
    tenants.addUser(address("new@example.com"));
    assertEquals(unknown, lasting.lookup(address("NEW@example.com")));
    found(direct.lookup(address("new@example.com")));
  }

  /** Away: an old yes is repeated, an old no is not, and nothing is invented. */
  @Test
  void whileTheDatabaseIsAwayKnownRecipientsStayKnownAndNobodyIsRefusedForGood() throws Exception {
    tenants.addServer(customer, Network.parse("192.0.2.0/24").orElseThrow());
    tenants.routeToMaildir("example.com", temp);
    DatabaseDirectory directory = directory(Duration.ZERO);
    InetAddress client = InetAddress.getByName("192.0.2.9");
    found(directory.lookup(address("ann@example.com")));
    directory.lookup(address("bob@example.com"));
    directory.lookup(address("x@elsewhere.example"));
    assertEquals(Lookup.of(Optional.of(customer.id())), directory.registeredServer(client));
    directory.routeFor(customer.id(), address("ann@example.com"));
    directory.customer(customer.id());

    TestDatabase.takeAway(database);
    long start = System.nanoTime();
    assertEquals(ann, found(directory.lookup(address("ann@example.com"))).mailbox());
    for (String text : List.of("bob@example.com", "x@elsewhere.example", "never@asked.example")) {
      assertInstanceOf(RecipientLookup.Unavailable.class, directory.lookup(address(text)), text);
    }
    assertEquals(Lookup.of(Optional.of(customer.id())), directory.registeredServer(client));
    assertEquals(
        new Route.Maildir(temp), directory.routeFor(customer.id(), address("ann@example.com")));
    assertEquals(customer.name(), directory.customer(customer.id()).name());
    // The database is not waited for by each question anew.
    for (int i = 0; i < 200; i++) {
      found(directory.lookup(address("ann@example.com")));
    }
    assertTrue(Duration.ofNanos(System.nanoTime() - start).compareTo(Duration.ofSeconds(40)) < 0);

    TestDatabase.bringBack(database);
    net.postern.testkit.Await.until(
        () -> directory.lookup(address("bob@example.com")) instanceof RecipientLookup.UnknownUser);
  }

  @Test
  void routesAreOfTheDomainOrTheWayOut() throws Exception {
    DatabaseDirectory directory = directory(Duration.ZERO);
    assertThrows(
        IllegalStateException.class,
        () -> directory.routeFor(customer.id(), address("ann@example.com")));
    tenants.routeToServers(
        "Example.COM",
        List.of(
            HostPort.parse("mail.example.com:25").orElseThrow(),
            HostPort.parse("[2001:db8::1]:2525").orElseThrow()),
        Route.Tls.VERIFIED);
    Route.Smtp smtp =
        assertInstanceOf(
            Route.Smtp.class, directory.routeFor(customer.id(), address("ann@example.com")));
    assertEquals(2, smtp.targets().size());
    assertEquals(Route.Tls.VERIFIED, smtp.tls());
    assertEquals(OUT, directory.routeFor(customer.id(), address("x@elsewhere.example")));
  }

  @Test
  void changesThatMakeNoSenseAreRefusedWithAReason() throws Exception {
    Customer second = add("Other Ltd");
    List<TenantException> refusals =
        List.of(
            assertThrows(TenantException.class, () -> tenants.addCustomer("Other Ltd")),
            assertThrows(TenantException.class, () -> tenants.addCustomer(" ")),
            assertThrows(
                TenantException.class, () -> tenants.addDomain(second, "EXAMPLE.com", false)),
            assertThrows(TenantException.class, () -> tenants.addDomain(second, "a..b", false)),
            assertThrows(TenantException.class, () -> tenants.addUser(address("ann@example.com"))),
            assertThrows(
                TenantException.class, () -> tenants.addUser(address("a@nowhere.example"))),
            assertThrows(TenantException.class, () -> tenants.setPolicy(second, 5, 4, 10, "")),
            assertThrows(
                TenantException.class, () -> tenants.setPolicy(second, Double.NaN, 4, 10, "")),
            assertThrows(
                TenantException.class, () -> tenants.setPolicy(second, 1, 2, 3, "a\r\nb")));
    for (TenantException refusal : refusals) {
      assertTrue(String.valueOf(refusal.getMessage()).length() > 10, refusal::toString);
    }
    tenants.setPolicy(second, 1, 2, 3, "[tag]");
    assertEquals(3, directory(Duration.ZERO).customer(second.id()).refuse());
  }
}
