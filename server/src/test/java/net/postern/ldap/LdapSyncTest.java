package net.postern.ldap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import net.postern.address.EmailAddress;
import net.postern.events.MailEvent;
import net.postern.id.MailboxId;
import net.postern.tenant.Customer;
import net.postern.tenant.DirectorySource;
import net.postern.tenant.DirectorySource.Shape;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.TenantException;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a directory has becomes what is taken here; what it lacks for a while does not. */
class LdapSyncTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path temp;

  @SuppressWarnings("NullAway.Init") // open() sets it
  private LdapWorld world;

  @BeforeEach
  void open() throws Exception {
    world = new LdapWorld(temp);
    world.set(world.source(Shape.OPENLDAP));
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void group(String cn, String mail, String... members) throws Exception {
    world.server.add(
        java.util.stream.Stream.concat(
                java.util.stream.Stream.of(
                    "dn: cn=" + cn + "," + LdapWorld.BASE,
                    "objectClass: groupOfNames",
                    "cn: " + cn,
                    "mail: " + mail),
                java.util.Arrays.stream(members).map(each -> "member: " + each))
            .toArray(String[]::new));
  }

  private static String dn(String uid) {
    return "uid=" + uid + "," + LdapWorld.BASE;
  }

  private List<String> members(String group) {
    return List.copyOf(
        new TreeSet<>(
            assertInstanceOf(RecipientLookup.Group.class, world.look(group)).members().stream()
                .map(each -> each.address().toString())
                .toList()));
  }

  private void found(String user) {
    assertInstanceOf(RecipientLookup.Found.class, world.look(user), user);
  }

  private void unknown(String user) {
    assertInstanceOf(RecipientLookup.UnknownUser.class, world.look(user), user);
  }

  @Test
  void peopleAliasesAndGroupsComeOver() throws Exception {
    world.person("ann", "Ann@Example.com", "sales@example.com", "ann@elsewhere.example");
    world.person("bob", "bob@example.com");
    world.person("out", "out@elsewhere.example");
    group("staff", "staff@example.com", dn("ann"), dn("out"), "cn=all," + LdapWorld.BASE);
    group("all", "all@example.com", dn("bob"), "cn=staff," + LdapWorld.BASE);
    unknown("ann");
    DirectorySync.Applied applied = world.run();
    assertEquals(2, applied.users());
    assertEquals(2, applied.groups());
    assertEquals(List.of(), applied.conflicts());
    assertEquals(world.mailbox("ann"), world.mailbox("sales"));
    assertNotEquals(world.mailbox("ann"), world.mailbox("bob"));
    assertEquals(
        List.of("ann@example.com", "bob@example.com", "out@elsewhere.example"), members("staff"));
    assertEquals(members("staff"), members("all"));
    unknown("out");

    // Nothing changed: nothing is written.
    DirectorySync.Applied again = world.run();
    assertEquals(0, again.added() + again.ending());
    world.server.modify(
        "dn: cn=all," + LdapWorld.BASE,
        "changetype: modify",
        "replace: member",
        "member: " + dn("bob"));
    world.run();
    assertEquals(List.of("bob@example.com"), members("all"));
  }

  @Test
  void anEntryKeepsItsMailboxAndNobodyGetsAnothersMail() throws Exception {
    world.person("ann", "ann@example.com");
    world.person("bob", "bob@example.com", "info@example.com");
    world.run();
    Optional<MailboxId> ann = world.mailbox("ann");
    Optional<MailboxId> bob = world.mailbox("bob");
    // Ann marries and is renamed; info goes from Bob to her.
    world.server.modifyDN(dn("ann"), "uid=anna", true);
    world.server.modify(
        "dn: " + dn("anna"),
        "changetype: modify",
        "replace: mail",
        "mail: anna@example.com",
        "-",
        "add: mailAlternateAddress",
        "mailAlternateAddress: info@example.com");
    world.server.modify("dn: " + dn("bob"), "changetype: modify", "delete: mailAlternateAddress");
    world.run();
    assertEquals(ann, world.mailbox("anna"));
    assertEquals(ann, world.mailbox("info"));
    assertEquals(bob, world.mailbox("bob"));
    unknown("ann");

    // Another Ann is hired and gets the address: it is not the mailbox of the first.
    world.person("ann", "ann@example.com");
    world.run();
    found("ann");
    assertNotEquals(ann, world.mailbox("ann"));
    // The same when a person leaves and the next one has the address.
    world.server.delete(dn("bob"));
    world.run();
    unknown("bob");
    world.person("bob", "bob@example.com");
    world.run();
    found("bob");
    assertNotEquals(bob, world.mailbox("bob"));
  }

  @Test
  void whoIsGoneIsRefusedAfterTheGraceAndComesBackToTheSameMailbox() throws Exception {
    DirectorySource quick = world.source(Shape.OPENLDAP);
    world.set(
        new DirectorySource(
            quick.customer(),
            quick.urls(),
            false,
            "",
            quick.bindDn(),
            quick.password(),
            quick.baseDn(),
            quick.shape(),
            "",
            "",
            List.of(),
            quick.interval(),
            Duration.ofDays(3),
            20));
    world.person("ann", "ann@example.com");
    world.person("bob", "bob@example.com");
    world.run();
    Optional<MailboxId> ann = world.mailbox("ann");
    world.server.delete(dn("bob"));
    assertEquals(1, world.run().ending());
    found("bob");
    assertEquals(0, world.run().ending(), "the grace is not begun anew");
    world.set(quick);
    var entry = world.server.getEntry(dn("ann"), "*", "entryUUID");
    world.server.delete(dn("ann"));
    assertThrows(TenantException.class, () -> world.run(), "they would all be gone");
    found("ann");
    DirectorySync.Applied _ = world.sync.run(world.id(), true);
    unknown("ann");
    assertEquals(ann, world.mailbox("ann"), "mailbox and address stay, for whoever comes back");
    world.server.getConnection().close();
    restore(entry);
    world.run();
    found("ann");
    assertEquals(ann, world.mailbox("ann"));
  }

  // As a directory's own recycle bin does it: with the id that it had.
  private void restore(com.unboundid.ldap.sdk.Entry entry) throws Exception {
    world.server.importFromLDIF(
        false,
        new com.unboundid.ldif.LDIFReader(
            new java.io.ByteArrayInputStream(
                entry.toLDIFString().getBytes(java.nio.charset.StandardCharsets.UTF_8))));
  }

  @Test
  void aShrunkenDirectoryIsNotBelievedUnlessAPersonSaysSo() throws Exception {
    for (int i = 0; i < 40; i++) {
      world.person("u" + i, "u" + i + "@example.com");
    }
    world.run();
    // The control: few may go.
    for (int i = 0; i < 8; i++) {
      world.server.delete(dn("u" + i));
    }
    assertEquals(8, world.run().ending());
    for (int i = 8; i < 18; i++) {
      world.server.delete(dn("u" + i));
    }
    TenantException refusal = assertThrows(TenantException.class, () -> world.run());
    assertTrue(String.valueOf(refusal.getMessage()).contains("10 of 32"), refusal::toString);
    found("u8");
    assertEquals(refusal.getMessage(), world.sources.status(world.id()).orElseThrow().trouble());
    assertFalse(notices().getLast().well());
    assertEquals(10, world.sync.run(world.id(), true).ending());
    unknown("u8");
    assertTrue(notices().getLast().well());
    // Nothing at all is never believed, however few there were.
    for (int i = 18; i < 40; i++) {
      world.server.delete(dn("u" + i));
    }
    assertThrows(TenantException.class, () -> world.run());
    found("u39");
  }

  /** The entries are all there, but an account may no longer read their further addresses. */
  @Test
  void manyAddressesThatAreGoneAtOnceAreNotBelievedEither() throws Exception {
    for (int i = 0; i < 8; i++) {
      world.person("u" + i, "u" + i + "@example.com", "a" + i + "@example.com");
    }
    world.run();
    // The control: few may go.
    withoutAlias("u0");
    assertEquals(1, world.run().ending());
    for (int i = 1; i < 8; i++) {
      withoutAlias("u" + i);
    }
    TenantException refusal = assertThrows(TenantException.class, () -> world.run());
    assertTrue(
        String.valueOf(refusal.getMessage()).contains("7 of 15 addresses"), refusal::toString);
    found("a1");
    assertEquals(7, world.sync.run(world.id(), true).ending());
    unknown("a1");
  }

  private void withoutAlias(String uid) throws Exception {
    world.server.modify("dn: " + dn(uid), "changetype: modify", "delete: mailAlternateAddress");
  }

  /** Many groups beside few people: that the people are gone is not lost in the sum. */
  @Test
  void peopleThatAreGoneAtOnceAreNotHiddenByGroups() throws Exception {
    for (int i = 0; i < 12; i++) {
      world.person("u" + i, "u" + i + "@example.com");
    }
    for (int i = 0; i < 60; i++) {
      group("g" + i, "g" + i + "@example.com", dn("u11"));
    }
    world.run();
    // The control: few may go.
    for (int i = 0; i < 2; i++) {
      world.server.delete(dn("u" + i));
    }
    assertEquals(2, world.run().ending());
    for (int i = 2; i < 8; i++) {
      world.server.delete(dn("u" + i));
    }
    TenantException refusal = assertThrows(TenantException.class, () -> world.run());
    assertTrue(String.valueOf(refusal.getMessage()).contains("6 of 10 people"), refusal::toString);
    found("u2");
    assertEquals(6, world.sync.run(world.id(), true).ending());
    unknown("u2");
  }

  /** A server that takes connections and never says a word. */
  @Test
  void aDirectoryThatHangsHoldsUpNobodyAndIsGivenUp() throws Exception {
    world.person("ann", "ann@example.com");
    List<Customer> hanging = new ArrayList<>();
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"))) {
      String url = "ldap://127.0.0.1:" + silent.getLocalPort();
      for (int i = 0; i < LdapSync.AT_ONCE - 1; i++) {
        world.tenants.addCustomer("Slow " + i);
        hanging.add(world.tenants.findCustomer("Slow " + i).orElseThrow());
        world.sources.set(world.source(hanging.getLast().id(), url));
      }
      // The one that answers is the last whose turn it is.
      world.set(world.source(Shape.OPENLDAP));
      try (LdapSync sync = sync(Duration.ofMinutes(10))) {
        sync.runDue();
        Await.until(() -> world.look("ann") instanceof RecipientLookup.Found);
        assertFalse(sync.isIdle(), "the others hang");
      }
      for (Customer each : hanging) {
        assertEquals("", trouble(each), "broken off because we stop: that is nobody's trouble");
        world.sources.set(world.source(each.id(), url));
      }
      try (LdapSync sync = sync(Duration.ofSeconds(1))) {
        sync.runDue();
        Await.until(sync::isIdle);
      }
      for (Customer each : hanging) {
        assertTrue(trouble(each).contains("not read within 1 seconds"), trouble(each));
      }
      assertEquals("", trouble(world.customer), "the control");
    }
  }

  private LdapSync sync(Duration limit) {
    return new LdapSync(
        world.sources, new DirectorySync(world.database, world.tenants), world.events::add, limit);
  }

  private String trouble(Customer customer) {
    return world.sources.status(customer.id()).orElseThrow().trouble();
  }

  @Test
  void anOutageChangesNothingAndIsSaidOnce() throws Exception {
    world.person("ann", "ann@example.com");
    world.run();
    world.server.shutDown("ldap", true);
    for (int i = 0; i < 3; i++) {
      assertThrows(TenantException.class, () -> world.run());
    }
    found("ann");
    assertEquals(1, notices().size(), world.events::toString);
    assertTrue(world.sources.status(world.id()).orElseThrow().trouble().contains("no connection"));
    world.server.startListening("ldap");
    world.set(world.source(Shape.OPENLDAP));
    world.run();
    assertEquals(2, notices().size());
    assertTrue(world.sources.status(world.id()).orElseThrow().trouble().isEmpty());
  }

  @Test
  void thePasswordIsNotReadableAtRestAndAWrongOneIsSaid() throws Exception {
    String row =
        world
            .database
            .row(
                "select to_jsonb(s)::text r, encode(s.password, 'escape') p"
                    + " from directory_source s",
                each -> each.getString("r") + each.getString("p"))
            .orElseThrow();
    assertFalse(row.contains(LdapWorld.PASSWORD));
    assertFalse(world.source(Shape.OPENLDAP).toString().contains(LdapWorld.PASSWORD));
    assertEquals(
        Optional.of(LdapWorld.PASSWORD), world.sources.find(world.id()).orElseThrow().password());
    world.set(
        world.source(
            Shape.OPENLDAP, List.of(world.url()), false, "", LdapWorld.BIND, "something else"));
    TenantException wrong = assertThrows(TenantException.class, () -> world.run());
    assertTrue(String.valueOf(wrong.getMessage()).contains("password is wrong"), wrong::toString);
    assertFalse(String.valueOf(wrong.getMessage()).contains("something else"));
  }

  @Test
  void whatAPersonEnteredStaysAsItIs() throws Exception {
    EmailAddress ann = EmailAddress.parse("ann@example.com").orElseThrow();
    EmailAddress info = EmailAddress.parse("info@example.com").orElseThrow();
    MailboxId mailbox = world.tenants.addUser(ann);
    MailboxId other = world.tenants.addUser(info);
    world.person("ann", "ann@example.com", "sales@example.com");
    world.person("bob", "bob@example.com", "info@example.com");
    DirectorySync.Applied applied = world.run();
    assertEquals(Optional.of(mailbox), world.mailbox("sales"), "hers is the one that she has");
    assertEquals(Optional.of(other), world.mailbox("info"));
    assertEquals(Optional.of(other), world.mailbox("bob"));
    assertEquals(List.of(), applied.conflicts());
    world.server.delete(dn("ann"));
    world.run();
    unknown("sales");
    found("ann");
    assertTrue(world.sources.remove(world.id()));
    found("bob");
    assertThrows(TenantException.class, () -> world.run());
  }

  /** Their entries have mailboxes without an address, and are nobody who is lost. */
  @Test
  void groupsWhoseAddressesAPersonEnteredAreNoLostPeople() throws Exception {
    for (int i = 0; i < 8; i++) {
      world.tenants.addUser(EmailAddress.parse("g" + i + "@example.com").orElseThrow());
      group("g" + i, "g" + i + "@example.com", dn("u0"));
    }
    for (int i = 0; i < 8; i++) {
      world.person("u" + i, "u" + i + "@example.com");
    }
    world.run();
    assertEquals(8, world.run().conflicts().size());
    // The control: when the people go, and entries of groups with them, that is noticed.
    for (int i = 0; i < 7; i++) {
      world.server.delete(dn("u" + i));
    }
    TenantException refusal = assertThrows(TenantException.class, () -> world.run());
    assertTrue(String.valueOf(refusal.getMessage()).contains("would be gone"), refusal::toString);
  }

  @Test
  void oneNodeAtATimeTakesWhatIsDue() throws Exception {
    world.person("ann", "ann@example.com");
    assertEquals(Optional.of(world.id()), world.sources.lease());
    assertEquals(Optional.empty(), world.sources.lease());
    world.set(world.source(Shape.OPENLDAP));
    world.sync.runDue();
    Await.until(world.sync::isIdle);
    found("ann");
    assertEquals(Optional.empty(), world.sources.lease(), "not before the interval is over");
    assertTrue(
        world
            .sources
            .status(world.id())
            .orElseThrow()
            .nextAt()
            .isAfter(java.time.Instant.now().plusSeconds(60)));
  }

  private List<MailEvent.DirectoryNotice> notices() {
    return world.events.stream().map(MailEvent.DirectoryNotice.class::cast).toList();
  }
}
