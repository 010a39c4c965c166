package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.tenant.RecipientPolicy.Sender;
import net.postern.tenant.SenderList.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SenderListsTest {
  private static final InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.77");

  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private final SenderLists lists = new SenderLists(database);
  private SenderLists.Owner customer;
  private SenderLists.Owner user;
  private MailboxId ann;

  @BeforeEach
  void fill() throws Exception {
    Tenants tenants =
        new Tenants(
            database,
            new KeyRing(
                MasterKey.of(Aead.random(32)),
                new Replicas(List.of(new DirectoryStore("one", temp)), 1)));
    tenants.addCustomer("Example Ltd");
    Customer found = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(found, "example.org", false);
    ann = tenants.addUser(EmailAddress.parse("ann@example.org").orElseThrow());
    customer = new SenderLists.Owner(found.id(), Optional.empty());
    user = lists.ownerOf(ann);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private Sender ask(String sender, boolean proven) {
    return new DatabaseRecipientPolicies(database, Duration.ZERO)
        .of(customer.customer(), Optional.of(ann))
        .sender(CLIENT, EmailAddress.parse(sender), () -> proven);
  }

  @Test
  void anEntryIsKeptInOneForm() throws TenantException {
    for (String[] each :
        new String[][] {
          {"Ann@EXAMPLE.com", "ann@example.com"},
          {"Example.COM.", "example.com"},
          {".Example.com", ".example.com"},
          {"192.0.2.77/24", "192.0.2.0/24"},
          {"192.0.2.77", "192.0.2.77/32"},
          {"2001:db8::5/32", "2001:db8:0:0:0:0:0:0/32"},
          {"bücher.example", "xn--bcher-kva.example"}
        }) {
      assertEquals(each[1], lists.add(customer, Kind.SAFE, each[0]).toString());
    }
    assertEquals(7, lists.entries(customer).size());
    assertEquals(0, lists.entries(user).size());
    lists.add(customer, Kind.BLOCK, "ann@example.com");
    assertEquals(7, lists.entries(customer).size(), "the same entry, of another kind");
    assertEquals("example.com", lists.remove(customer, "EXAMPLE.com").toString());
    assertThrows(TenantException.class, () -> lists.remove(customer, "example.com"));
    assertThrows(TenantException.class, () -> lists.remove(user, ".example.com"));
  }

  @Test
  void whatIsNoEntryIsRefusedWithAWordOnWhatIs() {
    for (String bad :
        List.of("", " ", "@", "a@", "192.0.2.0/33", "192.0.2.300", "a b", "..", ".")) {
      TenantException refused =
          assertThrows(TenantException.class, () -> lists.add(customer, Kind.SAFE, bad), bad);
      assertTrue(
          String.valueOf(refused.getMessage()).contains("192.0.2.0/24"), refused.getMessage());
    }
    assertEquals(0, lists.entries(customer).size());
  }

  @Test
  void theUserGoesFirstAndTheNarrowestEntryDecides() throws TenantException {
    assertInstanceOf(Sender.Unlisted.class, ask("boss@bad.example", true));
    lists.add(customer, Kind.BLOCK, ".example");
    assertInstanceOf(Sender.Blocked.class, ask("boss@bad.example", true));
    lists.add(customer, Kind.SAFE, "bad.example");
    assertEquals(
        new Sender.Safe(new SenderEntry.Domain("bad.example", false), false),
        ask("boss@bad.example", true));
    assertInstanceOf(Sender.Blocked.class, ask("boss@sub.bad.example", true));
    lists.add(user, Kind.BLOCK, "192.0.2.0/24");
    assertEquals(
        new Sender.Blocked(
            new SenderEntry.Clients(net.postern.config.Network.parse("192.0.2.0/24").orElseThrow()),
            true),
        ask("boss@bad.example", true));
    lists.add(user, Kind.SAFE, "192.0.2.77");
    assertInstanceOf(Sender.Safe.class, ask("boss@bad.example", false), "the smaller network");
  }

  @Test
  void whoIsNotProvenIsNotTrusted() throws TenantException {
    lists.add(user, Kind.SAFE, "boss@bad.example");
    assertInstanceOf(Sender.Safe.class, ask("boss@bad.example", true));
    assertInstanceOf(Sender.Untrusted.class, ask("boss@bad.example", false));
    lists.add(customer, Kind.BLOCK, "bad.example");
    assertInstanceOf(Sender.Blocked.class, ask("boss@bad.example", false));
    assertInstanceOf(Sender.Safe.class, ask("boss@bad.example", true));
  }

  @Test
  void choicesOfTheUserGoFirst() {
    lists.choose(customer, "greylist", Optional.of("on"));
    lists.choose(customer, "dnsbl", Optional.of("off"));
    lists.choose(user, "greylist", Optional.of("off"));
    RecipientPolicies policies = new DatabaseRecipientPolicies(database, Duration.ZERO);
    RecipientPolicy anns = policies.of(customer.customer(), Optional.of(ann));
    assertFalse(anns.on("greylist", false));
    assertFalse(anns.on("dnsbl", true));
    assertTrue(policies.of(customer.customer(), Optional.empty()).on("greylist", false));
    lists.choose(user, "greylist", Optional.empty());
    assertTrue(policies.of(customer.customer(), Optional.of(ann)).on("greylist", false));
    assertEquals(Map.of("dnsbl", "off", "greylist", "on"), lists.choices(customer));
  }

  @Test
  void membersOfAGroupAreAskedForTogetherAndEachHasTheirOwnAnswer() throws TenantException {
    lists.add(customer, Kind.BLOCK, "bad.example");
    lists.add(user, Kind.SAFE, "boss@bad.example");
    lists.choose(user, "greylist", Optional.of("on"));
    EmailAddress address = EmailAddress.parse("ann@example.com").orElseThrow();
    Recipient anns = new Recipient(address, customer.customer(), ann);
    Recipient others = new Recipient(address, customer.customer(), MailboxId.create());
    Recipient strangers = new Recipient(address, CustomerId.create(), ann);
    List<RecipientPolicy> all =
        new DatabaseRecipientPolicies(database, Duration.ZERO)
            .of(List.of(others, anns, strangers, anns));
    Optional<EmailAddress> boss = EmailAddress.parse("boss@bad.example");
    assertInstanceOf(Sender.Blocked.class, all.get(0).sender(CLIENT, boss, () -> true));
    assertInstanceOf(Sender.Safe.class, all.get(1).sender(CLIENT, boss, () -> true));
    assertInstanceOf(Sender.Unlisted.class, all.get(2).sender(CLIENT, boss, () -> true));
    assertInstanceOf(Sender.Safe.class, all.get(3).sender(CLIENT, boss, () -> true));
    assertTrue(all.get(1).on("greylist", false));
    assertFalse(all.get(0).on("greylist", false));
    assertTrue(all.stream().allMatch(RecipientPolicy::known));
  }

  @Test
  void whileTheDatabaseIsAwayWhatWasKnownIsUsed() throws TenantException {
    lists.add(customer, Kind.BLOCK, "bad.example");
    RecipientPolicies policies = new DatabaseRecipientPolicies(database, Duration.ZERO);
    RecipientPolicies fresh = new DatabaseRecipientPolicies(database, Duration.ZERO);
    assertTrue(policies.of(customer.customer(), Optional.of(ann)).known());
    TestDatabase.takeAway(database);
    try {
      assertInstanceOf(
          Sender.Blocked.class,
          policies
              .of(customer.customer(), Optional.of(ann))
              .sender(CLIENT, EmailAddress.parse("a@bad.example"), () -> false));
      assertFalse(fresh.of(customer.customer(), Optional.of(ann)).known());
    } finally {
      TestDatabase.bringBack(database);
    }
  }
}
