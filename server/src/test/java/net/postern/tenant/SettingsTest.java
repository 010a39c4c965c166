package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import org.jdbi.v3.core.Handle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every change of a customer gets into the stores, and everything comes back from one of them. */
class SettingsTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  private final Database database = TestDatabase.open();
  private final MasterKey master = MasterKey.of(Aead.random(Aead.KEY_BYTES));

  @SuppressWarnings("NullAway.Init") // open() sets it
  private List<DirectoryStore> disks;

  @SuppressWarnings("NullAway.Init") // open() sets it
  private Tenants tenants;

  @SuppressWarnings("NullAway.Init") // open() sets it
  private Settings settings;

  @BeforeEach
  void open() throws IOException {
    disks =
        List.of(
            new DirectoryStore("store-1", directory.resolve("1")),
            new DirectoryStore("store-2", directory.resolve("2")),
            new DirectoryStore("store-3", directory.resolve("3")));
    tenants = new Tenants(database, keys());
    settings = settings(database, List.of());
  }

  @AfterEach
  void close() {
    database.close();
  }

  private KeyRing keys() {
    return new KeyRing(master, new Replicas(disks, 2));
  }

  private Settings settings(Database into, List<SettingsPart> further) {
    return new Settings(into, new Replicas(disks, 2), keys(), further);
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  private Customer customer(String name, String domain) throws TenantException {
    tenants.addCustomer(name);
    Customer customer = tenants.findCustomer(name).orElseThrow();
    tenants.addDomain(customer, domain, true);
    tenants.addUser(address("ann@" + domain));
    return customer;
  }

  private static SenderLists.Owner ownerOf(Customer customer) {
    return new SenderLists.Owner(customer.id(), Optional.empty());
  }

  private static String dump(Database of) {
    StringBuilder dump = new StringBuilder();
    for (String table :
        List.of(
            "customer",
            "registered_server",
            "mailbox",
            "domain",
            "address",
            "group_member",
            "directory_source",
            "directory_entry",
            "route",
            "legal_hold",
            "sender_entry",
            "check_choice")) {
      dump.append(table).append('\n');
      of.rows(
              "select to_jsonb(t)::text r from " + table + " t order by 1",
              row -> row.getString("r"))
          .forEach(row -> dump.append(row).append('\n'));
    }
    return dump.toString();
  }

  @Test
  void everyChangeMarksItsCustomerAndNobodyElse() throws Exception {
    Customer one = customer("One \"quoted\" Ltd", "one.example");
    Customer two = customer("Two Ltd", "two.example");
    assertEquals(2, settings.writeChanged());
    assertEquals(0, settings.waiting());
    assertEquals(0, settings.writeChanged(), "nothing changed");
    long other = Settings.generation(disks.get(0), two.id());

    LegalHolds holds = new LegalHolds(database, Clock.systemUTC());
    Groups groups = new Groups(database, tenants);
    DirectorySources directories = new DirectorySources(database, keys());
    UUID[] hold = new UUID[1];
    SenderLists lists = new SenderLists(database);
    List<Change> changes =
        List.of(
            () -> tenants.setPolicy(one, 1, 2, 3, "[spam]"),
            () -> tenants.addServer(one, Network.parse("192.0.2.0/24").orElseThrow()),
            () -> tenants.addDomain(one, "more.example", false),
            () -> tenants.addUser(address("bob@one.example")),
            () -> tenants.addAlias(address("sales@one.example"), address("bob@one.example")),
            () -> tenants.addAlias(address("postmaster@one.example"), address("ann@one.example")),
            () ->
                tenants.routeToServers(
                    "one.example",
                    List.of(HostPort.parse("mail.one.example:25").orElseThrow()),
                    Route.Tls.VERIFIED),
            () -> tenants.routeToMaildir("one.example", Path.of("/srv/mail")),
            () -> tenants.setSubaddress("one.example", "+-"),
            () -> tenants.setValidation("one.example", Validation.CALLOUT, true),
            () -> tenants.addFound(address("found@one.example")),
            () ->
                groups.add(
                    address("team@one.example"),
                    List.of(address("ann@one.example"), address("x@elsewhere.example"))),
            () ->
                groups.addMembers(address("team@one.example"), List.of(address("bob@one.example"))),
            () ->
                groups.removeMembers(
                    address("team@one.example"), List.of(address("ann@one.example"))),
            () -> tenants.removeAlias(address("sales@one.example")),
            () -> directories.set(source(one)),
            () -> new DirectorySync(database, tenants).apply(source(one), snapshot(), false),
            () -> directories.remove(one.id()),
            () -> groups.remove(address("team@one.example")),
            () -> hold[0] = holds.set(one, Optional.empty(), "case 7").id(),
            () -> holds.release(hold[0]),
            () -> lists.add(ownerOf(one), SenderList.Kind.SAFE, "friend@example.net"),
            () -> lists.choose(ownerOf(one), "greylist", Optional.of("on")),
            () -> lists.remove(ownerOf(one), "friend@example.net"));
    for (Change each : changes) {
      long before = Settings.generation(disks.get(0), one.id());
      each.run();
      assertEquals(1, settings.waiting());
      assertEquals(1, settings.writeChanged());
      assertTrue(Settings.generation(disks.get(2), one.id()) > before);
    }
    assertEquals(other, Settings.generation(disks.get(0), two.id()));
  }

  private static DirectorySource source(Customer of) {
    return new DirectorySource(
        of.id(),
        List.of("ldaps://ldap.example"),
        false,
        "",
        "cn=postern",
        Optional.of("a secret of the directory"),
        "dc=example",
        DirectorySource.Shape.AD,
        "",
        "",
        List.of("mail"),
        Duration.ofMinutes(15),
        Duration.ofDays(3),
        20);
  }

  private static DirectorySnapshot snapshot() {
    return new DirectorySnapshot(
        List.of(
            new DirectorySnapshot.Person(
                "1", List.of(address("eve@one.example"), address("eva@one.example")))),
        List.of(
            new DirectorySnapshot.Group(
                "2",
                List.of(address("staff@one.example")),
                List.of(address("eve@one.example"), address("bob@elsewhere.example")))));
  }

  @FunctionalInterface
  private interface Change {
    void run() throws Exception;
  }

  @Test
  void everythingComesBackFromOneStore() throws Exception {
    Customer one = customer("One \"quoted\" Ltd", "one.example");
    Customer two = customer("Zwei GmbH \u00fc", "two.example");
    tenants.setPolicy(one, 1, 2, 3, "[spam]");
    tenants.addServer(one, Network.parse("2001:db8::/32").orElseThrow());
    tenants.addAlias(address("sales@one.example"), address("ann@one.example"));
    tenants.routeToServers(
        "one.example", List.of(HostPort.parse("10.0.0.1:25").orElseThrow()), Route.Tls.VERIFIED);
    tenants.routeToMaildir("two.example", Path.of("/srv/mail"));
    new Groups(database, tenants)
        .add(address("team@one.example"), List.of(address("sales@one.example")));
    tenants.setValidation("two.example", Validation.CALLOUT, true);
    tenants.setSubaddress("two.example", "");
    new DirectorySources(database, keys()).set(source(one));
    new DirectorySync(database, tenants).apply(source(one), snapshot(), false);
    new LegalHolds(database, Clock.systemUTC())
        .set(one, tenants.findMailbox(address("ann@one.example")), "case 7");
    SenderLists lists = new SenderLists(database);
    SenderLists.Owner ann =
        lists.ownerOf(tenants.findMailbox(address("ann@one.example")).orElseThrow());
    lists.add(ownerOf(one), SenderList.Kind.BLOCK, "192.0.2.0/24");
    lists.add(ann, SenderList.Kind.SAFE, "friend@example.net");
    lists.choose(ann, "greylist", Optional.of("on"));
    assertEquals(2, settings.writeChanged());
    long generation = Settings.generation(disks.get(1), one.id());

    try (Database fresh = TestDatabase.open()) {
      Settings again = settings(fresh, List.of());
      assertTrue(again.isEmpty());
      for (int i = 0; i < 2; i++) {
        // Twice, as after an interruption: the second time nothing is new.
        for (CustomerId each : Settings.listed(disks.get(1))) {
          Map<String, Integer> rows = again.restore(disks.get(1), each, 100);
          assertEquals(i == 0 ? 1 : 0, rows.get("customer"));
        }
      }
      assertFalse(again.isEmpty());
      assertEquals(dump(database), dump(fresh));
      assertEquals(2, again.waiting(), "they are written again");
      assertEquals(2, again.writeChanged());
      assertTrue(
          Settings.generation(disks.get(1), one.id()) > Math.max(100, generation) + (1L << 31),
          "far above: a store that was away may have more");
      assertEquals(
          Settings.generation(disks.get(0), two.id()), Settings.generation(disks.get(2), two.id()));
    }
  }

  /** The database is put back from a backup: its next change counts more than what came between. */
  @Test
  void anOlderDatabaseGoesAboveWhatTheStoresHave() throws Exception {
    Customer one = customer("One Ltd", "one.example");
    assertEquals(1, settings.writeChanged());
    long backup = Settings.generation(disks.get(0), one.id());
    for (int i = 0; i < 3; i++) {
      tenants.addUser(address("user" + i + "@one.example"));
      assertEquals(1, settings.writeChanged());
    }
    long newest = Settings.generation(disks.get(0), one.id());
    assertTrue(newest > backup + 1);
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update settings_state set changed = ?, written = ?", backup, backup));
    tenants.addUser(address("bob@one.example"));
    assertEquals(1, settings.writeChanged());
    assertEquals(0, settings.waiting());
    long above = Settings.generation(disks.get(2), one.id());
    assertEquals(newest + 1, above);
    tenants.addUser(address("eve@one.example"));
    assertEquals(1, settings.writeChanged());
    long next = Settings.generation(disks.get(2), one.id());
    assertTrue(next > above && next < above + 10, "the control: by the number of changes");
  }

  @Test
  void aColumnThatCameLaterTakesItsDefaultAndOneThatWentIsPassedOver() throws Exception {
    Customer one = customer("One Ltd", "one.example");
    try (Database fresh = TestDatabase.open()) {
      int rows =
          fresh
              .jdbi()
              .inTransaction(
                  handle ->
                      TablePart.OF_TENANTS
                          .getFirst()
                          .restore(
                              handle,
                              one.id(),
                              List.of(
                                  "{\"id\":\"%s\",\"name\":\"x\",\"colour\":\"red\"}"
                                      .formatted(one.id()))));
      assertEquals(1, rows);
      assertEquals(15.0, new Tenants(fresh, keys()).findCustomer("x").orElseThrow().refuse());
    }
  }

  @Test
  void furtherPartsJoinAndUnknownOnesAreTold() throws Exception {
    Customer one = customer("One Ltd", "one.example");
    StringBuilder back = new StringBuilder();
    SettingsPart part =
        new SettingsPart() {
          @Override
          public String name() {
            return "colours";
          }

          @Override
          public void export(Handle handle, CustomerId customer, Consumer<String> row) {
            row.accept("{\"colour\":\"red\"}");
          }

          @Override
          public int restore(Handle handle, CustomerId customer, List<String> rows) {
            rows.forEach(back::append);
            return rows.size();
          }
        };
    assertEquals(1, settings(database, List.of(part)).writeChanged());
    try (Database fresh = TestDatabase.open()) {
      assertEquals(
          1, settings(fresh, List.of(part)).restore(disks.get(0), one.id(), 0).get("colours"));
      assertEquals("{\"colour\":\"red\"}", back.toString());
    }
    try (Database fresh = TestDatabase.open()) {
      assertEquals(
          -1, settings(fresh, List.of()).restore(disks.get(0), one.id(), 0).get("colours"));
    }
  }

  @Test
  void nothingIsReadableAndWhatIsDamagedIsNotEntered() throws Exception {
    Customer one = customer("One Ltd", "one.example");
    Customer two = customer("Two Ltd", "two.example");
    assertEquals(2, settings.writeChanged());
    Path file = file(one.id());
    assertFalse(Files.readString(file, StandardCharsets.ISO_8859_1).contains("one.example"));
    // Another customer's settings under this name.
    Path other = file(two.id());
    Files.copy(other, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    try (Database fresh = TestDatabase.open()) {
      Settings again = settings(fresh, List.of());
      assertThrows(IOException.class, () -> again.restore(disks.get(0), one.id(), 0));
      assertTrue(again.isEmpty());
      // The control: another store has them.
      assertEquals(1, again.restore(disks.get(1), one.id(), 0).get("customer"));
    }
  }

  @Test
  void anErasedCustomerIsNotWrittenAndKeepsNobodyWaiting() throws Exception {
    Customer one = customer("One Ltd", "one.example");
    Customer two = customer("Two Ltd", "two.example");
    assertEquals(2, settings.writeChanged());
    long before = Settings.generation(disks.get(0), one.id());
    KeyRing ring = keys();
    Parcel stone = ring.tombstone(one.id(), Clock.systemUTC().instant());
    new Replicas(disks, 2).put("keys/" + one.id(), stone);
    tenants.setPolicy(one, 1, 2, 3, "");
    tenants.setPolicy(two, 1, 2, 3, "");
    assertEquals(1, settings(database, List.of()).writeChanged());
    assertEquals(0, settings.waiting());
    assertEquals(before, Settings.generation(disks.get(0), one.id()));
  }

  private Path file(CustomerId customer) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("1/settings"))) {
      return files.filter(each -> each.endsWith(customer.toString())).findFirst().orElseThrow();
    }
  }

  @Test
  void ofACustomerWithoutSettingsTheKeysTellWhatTheyCan() throws Exception {
    Customer one = customer("One Ltd", "one.example");
    var labels = keys().labels(disks.get(2));
    assertEquals(List.of(), labels.unreadable());
    assertEquals(1, labels.customers().size());
    try (Database fresh = TestDatabase.open()) {
      Settings again = settings(fresh, List.of());
      assertEquals(2, again.restore(labels.customers().getFirst(), labels.mailboxes()));
      assertEquals(0, again.restore(labels.customers().getFirst(), labels.mailboxes()));
      Tenants back = new Tenants(fresh, keys());
      assertEquals(one.id(), back.findCustomer("One Ltd").orElseThrow().id());
      assertEquals(List.of("ann@one.example", "postmaster@one.example"), back.users("one.example"));
      assertTrue(back.domains().getFirst().catchAll());
      assertEquals(
          tenants.findMailbox(address("ann@one.example")),
          back.findMailbox(address("ann@one.example")));
    }
  }
}
