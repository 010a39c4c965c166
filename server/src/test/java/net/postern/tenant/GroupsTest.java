package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mail for a group goes to its members, whatever shape the groups have. */
class GroupsTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path temp;

  private final Database database = TestDatabase.open();
  private final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Tenants tenants;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Groups groups;

  @SuppressWarnings("NullAway.Init") // fill() sets it
  private Customer customer;

  @BeforeEach
  void fill() throws Exception {
    tenants =
        new Tenants(
            database,
            new KeyRing(
                MasterKey.of(Aead.random(32)),
                new Replicas(List.of(new DirectoryStore("one", temp)), 1)));
    groups = new Groups(database, tenants);
    tenants.addCustomer("Example Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    for (String user : List.of("ann", "bob", "cat")) {
      tenants.addUser(address(user + "@example.com"));
    }
    tenants.addAlias(address("sales@example.com"), address("ann@example.com"));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  private static List<EmailAddress> all(String... texts) {
    List<EmailAddress> addresses = new ArrayList<>();
    for (String text : texts) {
      addresses.add(address(text));
    }
    return addresses;
  }

  private DatabaseDirectory directory() {
    return new DatabaseDirectory(
        database, Duration.ZERO, new Route.Mx(Route.Tls.OFF), AddressValidator.NONE, events::add);
  }

  private static RecipientLookup.Group group(RecipientLookup lookup) {
    return assertInstanceOf(RecipientLookup.Group.class, lookup);
  }

  private static List<String> addresses(RecipientLookup lookup) {
    return List.copyOf(
        new TreeSet<>(
            group(lookup).members().stream().map(each -> each.address().toString()).toList()));
  }

  @Test
  void membersHaveTheirOwnMailboxesAndThoseOutsideTheGroups() throws Exception {
    groups.add(
        address("Team@Example.com"),
        all("ann@example.com", "sales@example.com", "bob+x@example.com", "x@else.example"));
    RecipientLookup.Group found = group(directory().lookup(address("TEAM@example.com")));
    assertEquals(customer.id(), found.customer());
    assertEquals(
        List.of("ann@example.com", "bob+x@example.com", "sales@example.com", "x@else.example"),
        addresses(found));
    MailboxId ann = tenants.findMailbox(address("ann@example.com")).orElseThrow();
    MailboxId team = tenants.findMailbox(address("team@example.com")).orElseThrow();
    for (Recipient each : found.members()) {
      MailboxId expected =
          switch (each.address().toString()) {
            case "ann@example.com", "sales@example.com" -> ann;
            case "x@else.example" -> team;
            default -> tenants.findMailbox(address("bob@example.com")).orElseThrow();
          };
      assertEquals(expected, each.mailbox(), each.toString());
      assertEquals(customer.id(), each.customer());
    }
    assertEquals(addresses(found), addresses(directory().lookup(address("team+x@example.com"))));
    assertTrue(events.isEmpty(), "nothing is wrong with it");
  }

  @Test
  void groupsInGroupsAreNoLoopAndNobodyComesTwice() throws Exception {
    groups.add(address("one@example.com"), all("two@example.com", "ann@example.com"));
    groups.add(address("two@example.com"), all("one@example.com", "three@example.com"));
    groups.add(
        address("three@example.com"), all("one@example.com", "ann@example.com", "bob@example.com"));
    for (String each : List.of("one", "two", "three")) {
      assertEquals(
          List.of("ann@example.com", "bob@example.com"),
          addresses(directory().lookup(address(each + "@example.com"))));
    }
  }

  /** Another customer's group is that customer's, with its members outside and what is wrong. */
  @Test
  void anotherCustomersGroupGetsTheMailAsFromAnybody() throws Exception {
    tenants.addCustomer("Other Ltd");
    Customer other = tenants.findCustomer("Other Ltd").orElseThrow();
    tenants.addDomain(other, "other.example", false);
    tenants.addUser(address("eve@other.example"));
    groups.add(
        address("club@other.example"),
        all("eve@other.example", "gone@other.example", "x@else.example", "inner@other.example"));
    groups.add(address("inner@other.example"), all("y@else.example", "bob@example.com"));
    groups.add(
        address("team@example.com"),
        all("ann@example.com", "club@other.example", "z@else.example", "own@example.com"));
    groups.add(address("own@example.com"), all("w@else.example"));
    RecipientLookup.Group found = group(directory().lookup(address("team@example.com")));
    assertEquals(customer.id(), found.customer());
    MailboxId club = tenants.findMailbox(address("club@other.example")).orElseThrow();
    MailboxId team = tenants.findMailbox(address("team@example.com")).orElseThrow();
    for (Recipient each : found.members()) {
      boolean others =
          switch (each.address().toString()) {
            case "eve@other.example", "x@else.example", "y@else.example" -> true;
            // The control: what is this customer's stays so, whichever way leads to it.
            case "ann@example.com", "bob@example.com", "z@else.example", "w@else.example" -> false;
            default -> throw new AssertionError(each.toString());
          };
      assertEquals(others ? other.id() : customer.id(), each.customer(), each.toString());
      if (each.address().domain().equals("else.example")) {
        assertEquals(others ? club : team, each.mailbox(), each.toString());
      }
    }
    assertEquals(7, found.members().size());
    // What is wrong is told to that customer, and nobody here is told of their members.
    assertEquals(1, events.size(), events::toString);
    assertEquals(other.id(), notices().getFirst().customer());
    assertEquals("club@other.example", notices().getFirst().subject());
    assertEquals("no such users: gone@other.example", notices().getFirst().detail());
    directory().lookup(address("club@other.example"));
    assertEquals(2, events.size(), events::toString);
    assertEquals(other.id(), notices().getLast().customer());
  }

  /** Each customer hears of its own part, once, whichever way the mail came. */
  @Test
  void whatIsWrongWithinAnotherCustomersGroupIsToldToThatCustomerOnly() throws Exception {
    tenants.addCustomer("Other Ltd");
    Customer other = tenants.findCustomer("Other Ltd").orElseThrow();
    tenants.addDomain(other, "other.example", false);
    for (int i = 0; i < GroupExpansion.MAX_DEPTH + 2; i++) {
      groups.add(
          address("g" + i + "@other.example"),
          all("g" + (i + 1) + "@other.example", "eve@else.example"));
    }
    groups.add(address("empty@other.example"), all("x@else.example"));
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "delete from group_member where group_address = 'empty@other.example'"));
    groups.add(
        address("team@example.com"),
        all("ann@example.com", "gone@example.com", "g0@other.example", "empty@other.example"));
    DatabaseDirectory directory = directory();
    for (int i = 0; i < 3; i++) {
      assertEquals(
          List.of("ann@example.com", "eve@else.example"),
          addresses(directory.lookup(address("team@example.com"))));
    }
    assertEquals(3, events.size(), events::toString);
    for (MailEvent.DirectoryNotice each : notices()) {
      String expected =
          switch (each.subject()) {
            case "team@example.com" -> "no such users: gone@example.com";
            case "g0@other.example" -> "groups are nested more than 10 deep";
            case "empty@other.example" -> "groups without members: empty@other.example";
            default -> throw new AssertionError(each.toString());
          };
      assertTrue(each.detail().startsWith(expected), each::toString);
      boolean own = each.subject().equals("team@example.com");
      assertEquals(own ? customer.id() : other.id(), each.customer());
    }
  }

  @Test
  void whatIsTooDeepIsLeftOutAndSaid() throws Exception {
    for (int i = 0; i < GroupExpansion.MAX_DEPTH + 2; i++) {
      groups.add(
          address("g" + i + "@example.com"),
          all("g" + (i + 1) + "@example.com", "ann@example.com"));
    }
    assertEquals(
        List.of("ann@example.com"), addresses(directory().lookup(address("g0@example.com"))));
    assertTrue(notices().getFirst().detail().contains("nested"), events::toString);
    // The control: a level less is fine, but for the one at the end that does not exist.
    events.clear();
    directory().lookup(address("g3@example.com"));
    assertTrue(notices().getFirst().detail().startsWith("no such users"), events::toString);
  }

  @Test
  void aGroupWithMoreThanTheBoundIsCutAndSaid() throws Exception {
    List<EmailAddress> many =
        IntStream.range(0, GroupExpansion.MAX_MEMBERS)
            .mapToObj(i -> address("u" + i + "@else.example"))
            .toList();
    groups.add(address("big@example.com"), many);
    assertEquals(
        GroupExpansion.MAX_MEMBERS,
        group(directory().lookup(address("big@example.com"))).members().size());
    assertTrue(events.isEmpty());
    assertThrows(
        TenantException.class,
        () -> groups.addMembers(address("big@example.com"), all("ann@example.com")));
    groups.add(address("bigger@example.com"), all("big@example.com", "ann@example.com"));
    assertEquals(
        GroupExpansion.MAX_MEMBERS,
        group(directory().lookup(address("bigger@example.com"))).members().size());
    assertTrue(notices().getFirst().detail().contains("more than"), events::toString);
  }

  /** The bound is of people: who is in several groups counts once. */
  @Test
  void membersOfSeveralGroupsCountOnce() throws Exception {
    List<EmailAddress> same =
        IntStream.range(0, 3_000).mapToObj(i -> address("u" + i + "@else.example")).toList();
    groups.add(address("one@example.com"), same);
    groups.add(address("two@example.com"), same);
    groups.add(
        address("all@example.com"), all("one@example.com", "two@example.com", "ann@example.com"));
    assertEquals(3_001, group(directory().lookup(address("all@example.com"))).members().size());
    // Two levels, of which the second repeats the first before it has anybody new.
    groups.add(address("three@example.com"), all("zoe@else.example", "all@example.com"));
    groups.addMembers(address("three@example.com"), same);
    assertEquals(3_002, group(directory().lookup(address("three@example.com"))).members().size());
    assertTrue(events.isEmpty(), events::toString);
    // The control: as many others are too many, and said.
    groups.addMembers(
        address("two@example.com"),
        IntStream.range(0, 1_999).mapToObj(i -> address("v" + i + "@else.example")).toList());
    assertEquals(5_000, group(directory().lookup(address("all@example.com"))).members().size());
    assertTrue(events.isEmpty(), events::toString);
    groups.addMembers(address("all@example.com"), all("bob@example.com"));
    assertEquals(5_000, group(directory().lookup(address("all@example.com"))).members().size());
    assertEquals("it has more than 5000 members", notices().getFirst().detail());
  }

  @Test
  void membersThatDoNotExistAreReportedOnceAndTheOthersGetTheMail() throws Exception {
    groups.add(address("team@example.com"), all("ann@example.com", "gone@example.com"));
    DatabaseDirectory directory = directory();
    for (int i = 0; i < 3; i++) {
      assertEquals(
          List.of("ann@example.com"), addresses(directory.lookup(address("team@example.com"))));
    }
    assertEquals(1, events.size());
    assertEquals("no such users: gone@example.com", notices().getFirst().detail());
    assertEquals(List.of("gone@example.com"), groups.list("example.com").getFirst().unknown());
    tenants.addUser(address("gone@example.com"));
    assertEquals(2, group(directory.lookup(address("team@example.com"))).members().size());
    assertTrue(notices().getLast().well());
    assertEquals(List.of(), groups.list("example.com").getFirst().unknown());
  }

  /** A 250 for a group that nobody is in would lose the mail. */
  @Test
  void aGroupOfNobodyIsNeitherTakenNorRefusedForGood() throws Exception {
    groups.add(address("team@example.com"), all("gone@example.com"));
    assertInstanceOf(
        RecipientLookup.Unavailable.class, directory().lookup(address("team@example.com")));
    assertInstanceOf(
        RecipientLookup.UnknownUser.class, directory().lookup(address("gone@example.com")));
  }

  @Test
  void whileTheDatabaseIsAwayAKnownGroupStays() throws Exception {
    groups.add(address("team@example.com"), all("ann@example.com"));
    groups.add(address("other@example.com"), all("ann@example.com"));
    DatabaseDirectory directory = directory();
    group(directory.lookup(address("team@example.com")));
    TestDatabase.takeAway(database);
    assertEquals(
        List.of("ann@example.com"), addresses(directory.lookup(address("team@example.com"))));
    assertInstanceOf(
        RecipientLookup.Unavailable.class, directory.lookup(address("other@example.com")));
    TestDatabase.bringBack(database);
  }

  @Test
  void membersOfOtherCustomersHereGetItAsTheirs() throws Exception {
    tenants.addCustomer("Other Ltd");
    Customer other = tenants.findCustomer("Other Ltd").orElseThrow();
    tenants.addDomain(other, "other.example", true);
    tenants.addUser(address("dan@other.example"));
    groups.add(address("team@example.com"), all("dan@other.example", "any@other.example"));
    for (Recipient each : group(directory().lookup(address("team@example.com"))).members()) {
      assertEquals(other.id(), each.customer());
      assertNotEquals(
          tenants.findMailbox(address("team@example.com")).orElseThrow(), each.mailbox());
    }
    assertTrue(events.isEmpty());
  }

  @Test
  void changesThatMakeNoSenseAreRefusedAndChangeNothing() throws Exception {
    groups.add(address("team@example.com"), all("ann@example.com"));
    EmailAddress team = address("team@example.com");
    List<TenantException> refusals =
        List.of(
            assertThrows(TenantException.class, () -> groups.add(team, all("bob@example.com"))),
            assertThrows(
                TenantException.class,
                () -> groups.add(address("ann@example.com"), all("bob@example.com"))),
            assertThrows(
                TenantException.class,
                () -> groups.add(address("postmaster@example.com"), all("bob@example.com"))),
            assertThrows(
                TenantException.class, () -> groups.addMembers(team, all("TEAM@example.com"))),
            assertThrows(
                TenantException.class, () -> groups.removeMembers(team, all("ann@example.com"))),
            assertThrows(
                TenantException.class, () -> groups.removeMembers(team, all("bob@example.com"))),
            assertThrows(TenantException.class, () -> groups.remove(address("ann@example.com"))),
            assertThrows(
                TenantException.class, () -> tenants.addAlias(address("crew@example.com"), team)),
            assertThrows(
                TenantException.class, () -> tenants.removeAlias(address("ann@example.com"))),
            assertThrows(
                TenantException.class,
                () -> tenants.removeAlias(address("postmaster@example.com"))),
            assertThrows(TenantException.class, () -> tenants.setSubaddress("example.com", "+#")),
            assertThrows(TenantException.class, () -> tenants.setSubaddress("no.example", "+")),
            assertThrows(
                TenantException.class,
                () -> tenants.setValidation("no.example", Validation.OPEN, false)));
    for (TenantException refusal : refusals) {
      assertTrue(String.valueOf(refusal.getMessage()).length() > 10, refusal::toString);
    }
    assertEquals(List.of("ann@example.com"), addresses(directory().lookup(team)));
    groups.remove(team);
    assertInstanceOf(RecipientLookup.UnknownUser.class, directory().lookup(team));
  }

  @Test
  void aliasesComeAndGoAndTheUserStays() throws Exception {
    assertEquals(
        List.of(new Tenants.Alias("sales@example.com", "ann@example.com")),
        tenants.aliases("example.com"));
    tenants.removeAlias(address("Sales@example.com"));
    assertInstanceOf(
        RecipientLookup.UnknownUser.class, directory().lookup(address("sales@example.com")));
    assertInstanceOf(RecipientLookup.Found.class, directory().lookup(address("ann@example.com")));
  }

  /** RFC 5233 leaves the character to the site. */
  @Test
  void theDomainSaysWhatSeparatesADetail() throws Exception {
    RecipientLookup ann = directory().lookup(address("ann+x@example.com"));
    assertInstanceOf(RecipientLookup.Found.class, ann);
    assertInstanceOf(
        RecipientLookup.UnknownUser.class, directory().lookup(address("ann-x@example.com")));
    tenants.setSubaddress("example.com", "-=");
    for (String each : List.of("ann-x", "ann=y", "ann-x+y", "ann=x-y")) {
      assertInstanceOf(
          RecipientLookup.Found.class, directory().lookup(address(each + "@example.com")), each);
    }
    assertInstanceOf(
        RecipientLookup.UnknownUser.class, directory().lookup(address("ann+x@example.com")));
    tenants.setSubaddress("example.com", "");
    for (String each : List.of("ann-x", "ann+x")) {
      assertInstanceOf(
          RecipientLookup.UnknownUser.class,
          directory().lookup(address(each + "@example.com")),
          each);
    }
  }

  @Test
  void aDomainCanOpenAndCloseAgain() throws Exception {
    tenants.setValidation("example.com", Validation.OPEN, false);
    assertInstanceOf(
        RecipientLookup.Found.class, directory().lookup(address("whoever@example.com")));
    tenants.setValidation("example.com", Validation.LISTED, false);
    assertInstanceOf(
        RecipientLookup.UnknownUser.class, directory().lookup(address("whoever@example.com")));
    // Without anybody to ask nothing is known, and nobody is refused for good.
    tenants.setValidation("example.com", Validation.CALLOUT, false);
    assertInstanceOf(
        RecipientLookup.Unavailable.class, directory().lookup(address("whoever@example.com")));
    assertInstanceOf(RecipientLookup.Found.class, directory().lookup(address("ann@example.com")));
  }

  private List<MailEvent.DirectoryNotice> notices() {
    return events.stream().map(MailEvent.DirectoryNotice.class::cast).toList();
  }
}
