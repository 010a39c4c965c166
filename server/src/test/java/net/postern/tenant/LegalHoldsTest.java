package net.postern.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
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

class LegalHoldsTest {
  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private final LegalHolds holds = new LegalHolds(database, Clock.systemUTC());
  private Customer customer;
  private Customer other;
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
    tenants.addCustomer("Other Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    other = tenants.findCustomer("Other Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    ann = tenants.addUser(EmailAddress.parse("ann@example.com").orElseThrow());
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aHoldStandsUntilItIsReleasedAndStaysOnRecord() throws TenantException {
    LegalHold hold = holds.set(customer, Optional.of(ann), "case 7");
    assertEquals(List.of(hold.id()), holds.active().stream().map(LegalHold::id).toList());
    assertTrue(hold.covers(customer.id(), ann));
    assertFalse(hold.covers(customer.id(), MailboxId.create()));
    assertFalse(hold.covers(other.id(), ann));
    holds.release(hold.id());
    assertEquals(List.of(), holds.active());
    LegalHold kept = holds.of(customer.id()).getFirst();
    assertEquals("case 7", kept.reason());
    assertTrue(kept.releasedAt().isPresent());
  }

  @Test
  void aHoldOfTheWholeCustomerCoversEveryMailboxOfIt() throws TenantException {
    LegalHold hold = holds.set(customer, Optional.empty(), "case 8");
    assertTrue(hold.covers(customer.id(), MailboxId.create()));
    assertFalse(hold.covers(other.id(), ann));
  }

  @Test
  void whatMakesNoSenseIsRefusedAndChangesNothing() throws TenantException {
    assertThrows(TenantException.class, () -> holds.set(customer, Optional.empty(), " "));
    assertThrows(TenantException.class, () -> holds.set(other, Optional.of(ann), "not theirs"));
    assertThrows(TenantException.class, () -> holds.release(UUID.randomUUID()));
    assertEquals(List.of(), holds.active());
    LegalHold hold = holds.set(customer, Optional.of(ann), "the control");
    holds.release(hold.id());
    assertThrows(TenantException.class, () -> holds.release(hold.id()));
  }
}
