package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.sasl.ScramKeys;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccountAdminTest {
  private static final PasswordHash CHEAP = new PasswordHash(8, 1);
  private static final EmailAddress ANN = EmailAddress.parse("ann@example.com").orElseThrow();
  private static final EmailAddress SALES = EmailAddress.parse("sales@example.com").orElseThrow();

  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private final MasterKey master = MasterKey.of(Aead.random(32));
  private DirectoryStore store;
  private Tenants tenants;
  private AccountAdmin admin;
  private Customer customer;

  @BeforeEach
  void fill() throws Exception {
    store = new DirectoryStore("one", temp);
    tenants = new Tenants(database, keys());
    admin = new AccountAdmin(database, keys());
    tenants.addCustomer("Example Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    tenants.addUser(ANN);
    tenants.addAlias(SALES, ANN);
  }

  private KeyRing keys() {
    return new KeyRing(master, replicas());
  }

  private Replicas replicas() {
    return new Replicas(List.of(store), 1);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static Credential found(Database in, EmailAddress name) {
    return assertInstanceOf(
            CredentialLookup.Found.class, new DatabaseAccounts(in, Duration.ZERO).find(name))
        .credential();
  }

  private static Credential.Secret own(Credential credential) {
    return credential.secrets().getFirst();
  }

  @Test
  void aPasswordIsSetReplacedAndRemoved() throws Exception {
    DatabaseAccounts accounts = new DatabaseAccounts(database, Duration.ZERO);
    assertInstanceOf(CredentialLookup.Nobody.class, accounts.find(ANN));
    admin.setPassword(ANN, "correct horse", CHEAP, true);
    Credential credential = found(database, SALES);
    assertEquals(tenants.findMailbox(ANN).orElseThrow(), credential.user().mailbox());
    assertEquals(customer.id(), credential.user().customer());
    assertTrue(PasswordHash.fits(own(credential).hash(), "correct horse"));
    assertFalse(PasswordHash.fits(own(credential).hash(), "correct horsf"));
    ScramKeys scram = own(credential).scram().orElseThrow();
    assertEquals(15_000, scram.iterations());

    String generated = admin.generate();
    admin.setPassword(SALES, generated, CHEAP, false);
    assertTrue(PasswordHash.fits(own(found(database, ANN)).hash(), generated));
    assertTrue(own(found(database, ANN)).scram().isEmpty());
    assertTrue(admin.removePassword(ANN));
    assertFalse(admin.removePassword(ANN));
    assertInstanceOf(CredentialLookup.Nobody.class, accounts.find(ANN));
  }

  @Test
  void badInputSaysWhatToDo() {
    EmailAddress nobody = EmailAddress.parse("nobody@example.com").orElseThrow();
    assertTrue(
        assertThrows(TenantException.class, () -> admin.setPassword(ANN, "short", CHEAP, true))
            .toString()
            .contains("10 to 1024 characters"));
    assertTrue(
        assertThrows(
                TenantException.class,
                () -> admin.setPassword(nobody, "correct horse", CHEAP, true))
            .toString()
            .contains("admin user add"));
    assertTrue(
        assertThrows(TenantException.class, () -> admin.addCertificate(customer, "12:34", ""))
            .toString()
            .contains("64 hexadecimal digits"));
  }

  /** The reference vector of Argon2id's authors' own test program (p=1). */
  @Test
  void otherProgramsHashesAreRead() {
    assertTrue(
        PasswordHash.fits(
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "password"));
    assertThrows(IllegalArgumentException.class, () -> PasswordHash.fits("$2b$10$x", "password"));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            PasswordHash.fits(
                "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
                "password"));
  }

  @Test
  void serversGetAMailboxOfTheCustomersOwn() throws Exception {
    DatabaseAccounts accounts = new DatabaseAccounts(database, Duration.ZERO);
    assertEquals(Lookup.of(Optional.empty()), accounts.serverMailbox(customer.id()));
    assertFalse(accounts.asksForCertificates());
    tenants.addServer(customer, Network.parse("192.0.2.1").orElseThrow());
    var mailbox = accounts.serverMailbox(customer.id()).orElse(Optional.empty()).orElseThrow();
    keys().mailboxKey(mailbox);
    String fingerprint = "AB:".repeat(31) + "AB";
    admin.addCertificate(customer, fingerprint, "CN=relay.example");
    assertEquals(
        mailbox, accounts.serverMailbox(customer.id()).orElse(Optional.empty()).orElseThrow());
    assertEquals(Lookup.of(Optional.of(customer.id())), accounts.certifiedServer("ab".repeat(32)));
    assertEquals(Lookup.of(Optional.empty()), accounts.certifiedServer("cd".repeat(32)));
    assertThrows(TenantException.class, () -> admin.addCertificate(customer, fingerprint, "again"));
  }

  /** All that lets people send comes back from one store. */
  @Test
  void everythingComesBackFromAStore() throws Exception {
    admin.setPassword(ANN, "correct horse", CHEAP, true);
    admin.addCertificate(customer, "ab".repeat(32), "CN=relay.example");
    SendLimit limit =
        new SendLimit(
            OptionalInt.of(5), OptionalInt.empty(), OptionalInt.of(7), OptionalInt.empty());
    admin.limit(ANN, limit);
    admin.limit(customer, limit);
    admin.limit(customer, SendLimit.NONE);
    Settings settings = new Settings(database, replicas(), keys(), List.of());
    assertEquals(1, settings.writeChanged());
    try (Database fresh = TestDatabase.open()) {
      Settings again = new Settings(fresh, replicas(), keys(), List.of());
      for (CustomerId each : Settings.listed(store)) {
        again.restore(store, each, 100);
      }
      Credential before = found(database, ANN);
      Credential after = found(fresh, ANN);
      assertEquals(own(before).hash(), own(after).hash());
      assertEquals(
          java.util.HexFormat.of().formatHex(own(before).scram().orElseThrow().storedKey()),
          java.util.HexFormat.of().formatHex(own(after).scram().orElseThrow().storedKey()));
      DatabaseAccounts accounts = new DatabaseAccounts(fresh, Duration.ZERO);
      assertEquals(
          new DatabaseAccounts(database, Duration.ZERO).serverMailbox(customer.id()),
          accounts.serverMailbox(customer.id()));
      assertEquals(
          Lookup.of(Optional.of(customer.id())), accounts.certifiedServer("ab".repeat(32)));
      assertEquals(Lookup.of(limit), accounts.limits(customer.id(), tenants.findMailbox(ANN)));
      assertEquals(Lookup.of(SendLimit.NONE), accounts.limits(customer.id(), Optional.empty()));
    }
  }

  @Test
  void appPasswordsAreAddedShownAndRemoved() throws Exception {
    DatabaseAccounts accounts = new DatabaseAccounts(database, Duration.ZERO);
    String phone = admin.addAppPassword(ANN, " phone ", CHEAP, true);
    // Alone it lets in too.
    Credential alone = found(database, SALES);
    assertEquals(List.of("phone"), alone.secrets().stream().map(each -> each.name()).toList());
    admin.setPassword(ANN, "correct horse", CHEAP, true);
    String laptop = admin.addAppPassword(SALES, "laptop", CHEAP, true);
    Credential all = found(database, ANN);
    assertEquals(
        List.of("", "laptop", "phone"), all.secrets().stream().map(each -> each.name()).toList());
    assertEquals(3, all.forScram().size(), "all have one salt");
    assertEquals(List.of("laptop", ""), names(all.candidates(laptop)));
    assertEquals(List.of("phone", ""), names(all.candidates(phone)));
    assertEquals(List.of(""), names(all.candidates("correct horse")));
    assertTrue(PasswordHash.fits(all.candidates(laptop).getFirst().hash(), laptop));

    MailboxId mailbox = tenants.findMailbox(ANN).orElseThrow();
    accounts.used(mailbox, "phone");
    accounts.used(mailbox, "nobody's");
    List<AppPassword> shown = admin.appPasswords(ANN);
    assertEquals(List.of("laptop", "phone"), shown.stream().map(AppPassword::name).toList());
    assertTrue(shown.getFirst().used().isEmpty());
    assertTrue(shown.getLast().used().isPresent());

    admin.removeAppPassword(ANN, "phone");
    assertEquals(List.of("", "laptop"), names(found(database, ANN).secrets()));
    assertTrue(admin.removePassword(ANN));
    assertInstanceOf(CredentialLookup.Nobody.class, accounts.find(ANN), "none is left");
  }

  private static List<String> names(List<Credential.Secret> secrets) {
    return secrets.stream().map(Credential.Secret::name).toList();
  }

  @Test
  void appPasswordsThatCannotBeSayWhatToDo() throws Exception {
    admin.addAppPassword(ANN, "phone", CHEAP, false);
    assertTrue(
        assertThrows(
                TenantException.class, () -> admin.addAppPassword(SALES, "phone", CHEAP, false))
            .toString()
            .contains("take another name"));
    assertTrue(
        assertThrows(TenantException.class, () -> admin.addAppPassword(ANN, " ", CHEAP, false))
            .toString()
            .contains("1 to 60 characters"));
    assertTrue(
        assertThrows(TenantException.class, () -> admin.removeAppPassword(ANN, "tablet"))
            .toString()
            .contains("app-password list"));
    for (int i = 1; i < AccountAdmin.MAX_APP_PASSWORDS; i++) {
      admin.addAppPassword(ANN, "number " + i, CHEAP, false);
    }
    assertTrue(
        assertThrows(TenantException.class, () -> admin.addAppPassword(ANN, "more", CHEAP, false))
            .toString()
            .contains("remove one"));
  }

  @Test
  void appPasswordsComeBackFromAStoreAndGoWithTheMailbox() throws Exception {
    admin.addAppPassword(ANN, "phone", CHEAP, true);
    Settings settings = new Settings(database, replicas(), keys(), List.of());
    settings.writeChanged();
    try (Database fresh = TestDatabase.open()) {
      Settings again = new Settings(fresh, replicas(), keys(), List.of());
      for (CustomerId each : Settings.listed(store)) {
        again.restore(store, each, 100);
      }
      assertEquals(
          found(database, ANN).secrets().getFirst().hash(),
          found(fresh, ANN).secrets().getFirst().hash());
    }
    new DatabaseAccounts(database, Duration.ZERO)
        .used(tenants.findMailbox(ANN).orElseThrow(), "phone");
    assertEquals(1, admin.appPasswords(ANN).size());
    assertEquals(2, rows("app_password") + rows("app_password_use"));
    Erasures erasures = new Erasures(database, keys(), Clock.systemUTC(), List.of());
    erasures.erase(erasures.find(ANN));
    assertEquals(0, rows("app_password") + rows("app_password_use"));
  }

  private int rows(String table) {
    return database
        .row("select count(*)::integer n from " + table, row -> row.getInt("n"))
        .orElseThrow();
  }

  @Test
  void serversAreTakenBack() throws Exception {
    DatabaseAccounts accounts = new DatabaseAccounts(database, Duration.ZERO);
    DatabaseDirectory directory =
        new DatabaseDirectory(database, Duration.ZERO, new Route.Mx(Route.Tls.OPPORTUNISTIC));
    Network network = Network.parse("192.0.2.0/24").orElseThrow();
    Network other = Network.parse("198.51.100.7").orElseThrow();
    tenants.addServer(customer, network);
    tenants.addServer(customer, other);
    admin.addCertificate(customer, "ab".repeat(32), "CN=relay.example");
    admin.addCertificate(customer, "cd".repeat(32), "CN=other.example");
    assertEquals(List.of(network, other), tenants.servers(customer));
    assertEquals(2, admin.certificates(customer).size());

    tenants.removeServer(customer, network);
    admin.removeCertificate(customer, "AB:".repeat(31) + "AB");
    assertEquals(
        Lookup.of(Optional.empty()),
        directory.registeredServer(InetAddress.ofLiteral("192.0.2.9")));
    assertEquals(Lookup.of(Optional.empty()), accounts.certifiedServer("ab".repeat(32)));
    // The control: the others stay.
    assertEquals(
        Lookup.of(Optional.of(customer.id())),
        directory.registeredServer(InetAddress.ofLiteral("198.51.100.7")));
    assertEquals(Lookup.of(Optional.of(customer.id())), accounts.certifiedServer("cd".repeat(32)));

    assertTrue(
        assertThrows(TenantException.class, () -> tenants.removeServer(customer, network))
            .toString()
            .contains("admin customer servers"));
    tenants.addCustomer("Other Ltd");
    Customer stranger = tenants.findCustomer("Other Ltd").orElseThrow();
    assertThrows(TenantException.class, () -> admin.removeCertificate(stranger, "cd".repeat(32)));
    assertThrows(TenantException.class, () -> tenants.removeServer(stranger, other));
  }

  /** What was known counts, nothing is made up, and the database is not waited for each time. */
  @Test
  void whileTheDatabaseIsAwayWhatIsNotKnownIsUnavailable() throws Exception {
    DatabaseAccounts accounts = new DatabaseAccounts(database, Duration.ZERO);
    tenants.addServer(customer, Network.parse("192.0.2.1").orElseThrow());
    var mailbox = accounts.serverMailbox(customer.id());
    assertEquals(Lookup.of(SendLimit.NONE), accounts.limits(customer.id(), Optional.empty()));
    TestDatabase.takeAway(database);
    assertEquals(mailbox, accounts.serverMailbox(customer.id()));
    assertEquals(Lookup.of(SendLimit.NONE), accounts.limits(customer.id(), Optional.empty()));
    assertInstanceOf(
        Lookup.Unavailable.class, accounts.limits(CustomerId.create(), Optional.empty()));
    assertInstanceOf(Lookup.Unavailable.class, accounts.certifiedServer("ab".repeat(32)));
    assertTrue(accounts.asksForCertificates());
    long begun = System.nanoTime();
    for (int i = 0; i < 300; i++) {
      assertInstanceOf(CredentialLookup.Unavailable.class, accounts.find(ANN));
    }
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    assertTrue(took.compareTo(Duration.ofSeconds(30)) < 0, took::toString);
    TestDatabase.bringBack(database);
    Await.until(
        Duration.ofSeconds(30), () -> accounts.find(ANN) instanceof CredentialLookup.Nobody);
  }
}
