package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.DyingStore;
import net.postern.blob.FaultyStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.config.TestConfig;
import net.postern.config.VaultConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyErasedException;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyShelf;
import net.postern.keys.KeyUpkeep;
import net.postern.keys.MasterKey;
import net.postern.keys.MasterKeys;
import net.postern.ledger.Balance;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.ErasedMail;
import net.postern.ledger.Ledger;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.MessageView;
import net.postern.tenant.Customer;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.DatabaseKeyShelf;
import net.postern.tenant.Erasures;
import net.postern.tenant.LegalHold;
import net.postern.tenant.LegalHolds;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Route;
import net.postern.tenant.Settings;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import net.postern.testkit.Await;
import net.postern.vault.MessageErasedException;
import net.postern.vault.MessageFrame;
import net.postern.vault.Place;
import net.postern.vault.SegmentVault;
import net.postern.vault.StoreReader;
import net.postern.vault.VaultUnavailableException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a mailbox after it was erased: nothing that anybody can read, anywhere. */
class ErasingTest {
  private static final EmailAddress ANN = address("ann@example.com");
  private static final EmailAddress BOB = address("bob@example.com");

  /** Every store is read alone here: none is given up because it stood still for a moment. */
  private static final VaultConfig VAULT =
      TestConfig.vault("reserve = \"1 MiB\"", "segment_size = \"1 MiB\"", "store_wait = \"20s\"");

  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private final KeyShelf shelf = new DatabaseKeyShelf(database);
  private final MasterKey master = MasterKey.of(Aead.random(32));
  private final List<DirectoryStore> disks = new ArrayList<>();
  private final List<FaultyStore> stores = new ArrayList<>();
  private final List<MailEvent> events = new CopyOnWriteArrayList<>();
  private final LegalHolds holds = new LegalHolds(database, Clock.systemUTC());
  private final Ledger ledger = new Ledger(database, UUID.randomUUID(), Duration.ofMinutes(15));
  private Customer customer;
  private MailboxId ann;
  private MailboxId bob;
  private SegmentVault vault;

  @BeforeEach
  void fill() throws Exception {
    for (int i = 1; i <= 3; i++) {
      disks.add(new DirectoryStore("store-" + i, temp.resolve("store-" + i)));
      stores.add(new FaultyStore(disks.getLast()));
    }
    vault = new SegmentVault(VAULT, stores, ring(), events::add, Clock.systemUTC());
    Tenants tenants = tenants();
    tenants.addCustomer("Example Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    ann = tenants.addUser(ANN);
    bob = tenants.addUser(BOB);
  }

  @AfterEach
  void close() {
    stores.forEach(store -> store.mood(FaultyStore.Mood.GOOD));
    vault.close();
    ledger.close();
    database.close();
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  private KeyRing ring() {
    return ring(stores);
  }

  private KeyRing ring(List<? extends ObjectStore> over) {
    return new KeyRing(MasterKeys.of(master), new Replicas(over, 2), shelf);
  }

  private Tenants tenants() {
    return new Tenants(database, ring());
  }

  private Erasing erasing() {
    return erasing(stores);
  }

  private Erasing erasing(List<? extends ObjectStore> over) {
    KeyRing keys = ring(over);
    return new Erasing(
        new Erasures(database, keys, Clock.systemUTC(), PersonParts.ALL),
        new ErasedMail(database),
        keys,
        events::add);
  }

  private Erasing.Outcome erase(EmailAddress address) throws TenantException {
    Erasing erasing = erasing();
    return erasing.mailbox(erasing.erasures().find(address));
  }

  private Place keep(String text, MailboxId... holders) throws Exception {
    List<MessageFrame.Holder> all =
        Stream.of(holders).map(each -> new MessageFrame.Holder(customer.id(), each)).toList();
    return vault
        .keep(
            new MessageFrame(
                MessageId.create(),
                all,
                "{}".getBytes(StandardCharsets.UTF_8),
                text.getBytes(StandardCharsets.UTF_8)))
        .place();
  }

  private String readAlone(int store, Place place) throws VaultUnavailableException {
    List<DirectoryStore> one = List.of(disks.get(store));
    StoreReader reader = new StoreReader(() -> one, new KeyRing(master, new Replicas(one, 1)));
    return new String(reader.read(place).content(), StandardCharsets.UTF_8);
  }

  private String readWithDatabase(Place place) throws VaultUnavailableException {
    return new String(
        new StoreReader(() -> disks, ring()).read(place).content(), StandardCharsets.UTF_8);
  }

  private MessageId enter(Place place, DeliveryState... states) throws Exception {
    Instant now = Instant.now();
    List<MessageRecord.NewDelivery> deliveries = new ArrayList<>();
    List<EmailAddress> recipients = List.of(ANN, BOB);
    List<MailboxId> mailboxes = List.of(ann, bob);
    for (int i = 0; i < states.length; i++) {
      deliveries.add(
          new MessageRecord.NewDelivery(
              recipients.get(i % 2),
              mailboxes.get(i % 2),
              states[i],
              states[i] == DeliveryState.HELD ? "score 7" : "",
              now.plus(Duration.ofDays(5)),
              "",
              ""));
    }
    MessageId id = MessageId.create();
    ledger
        .record(
            List.of(
                new MessageRecord(
                    customer.id(),
                    id,
                    now,
                    MessageRecord.Origin.SMTP,
                    place,
                    300,
                    false,
                    Optional.empty(),
                    "192.0.2.1",
                    "helo.example",
                    "PASS",
                    0,
                    "",
                    deliveries)),
            () -> {})
        .get(20, TimeUnit.SECONDS);
    return id;
  }

  private List<String> states(MessageId id) {
    return new MessageQueries(database)
        .find(id).stream().map(each -> each.state() + " " + each.rule()).toList();
  }

  private static Parcel record(DirectoryStore disk, MailboxId mailbox) throws IOException {
    return Replicas.read(disk, "keys/" + mailbox);
  }

  /** Whether any file of a store, or any row, has these bytes. */
  private boolean anywhere(byte[] wanted) throws IOException {
    String text = new String(wanted, StandardCharsets.ISO_8859_1);
    for (DirectoryStore disk : disks) {
      try (Stream<Path> files = Files.walk(disk.root())) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
            return true;
          }
        }
      }
    }
    return database
        .row(
            "select count(*) n from wrapped_key where position(?::bytea in record) > 0",
            row -> row.getLong("n") > 0,
            wanted)
        .orElse(false);
  }

  @Test
  void whatOnlyItHeldIsUnreadableAndSaysWhyAndWhatOthersHoldIsNot() throws Exception {
    Place own = keep("for ann", ann);
    Place shared = keep("for both", ann, bob);
    byte[] content = record(disks.getFirst(), ann).content();
    byte[] wrapped = Arrays.copyOfRange(content, 49, 109);
    assertTrue(anywhere(wrapped), "the control: there is something to find");
    byte[] before = segment(own);

    Erasing.Outcome outcome = erase(ANN);
    assertEquals(List.of(), outcome.lacking());
    assertFalse(anywhere(wrapped));
    for (int store = 0; store < disks.size(); store++) {
      int alone = store;
      MessageErasedException gone =
          assertThrows(MessageErasedException.class, () -> readAlone(alone, own));
      assertTrue(gone.toString().contains("was erased"), gone::toString);
      assertEquals("for both", readAlone(store, shared));
      assertEquals(2, SegmentVault.countFrames(disks.get(store)), "the frames are whole");
    }
    assertArrayEquals(before, segment(own), "nothing was written to the segment");
    assertThrows(MessageErasedException.class, () -> readWithDatabase(own));
    assertEquals("for both", readWithDatabase(shared));
    stores.forEach(store -> store.mood(FaultyStore.Mood.FAILING));
    assertThrows(KeyErasedException.class, () -> ring().mailboxKey(ann), "database alone");
  }

  private byte[] segment(Place place) throws IOException {
    String object = "segments/" + place.segment();
    return disks.getFirst().range(object, 0, (int) disks.getFirst().length(object));
  }

  @Test
  void aLegalHoldForbidsItAndNothingChanges() throws Exception {
    Place own = keep("for ann", ann);
    for (Optional<MailboxId> mailbox : List.of(Optional.<MailboxId>empty(), Optional.of(ann))) {
      LegalHold hold = holds.set(customer, mailbox, "case 7");
      TenantException refused = assertThrows(TenantException.class, () -> erase(ANN));
      assertTrue(refused.toString().contains("case 7"), refused::toString);
      assertThrows(TenantException.class, () -> erasing().customer(customer));
      assertEquals("for ann", readAlone(0, own));
      assertEquals("for ann", readWithDatabase(own));
      assertEquals(Optional.of(ann), tenants().findMailbox(ANN));
      holds.release(hold.id());
    }
    LegalHold others = holds.set(customer, Optional.of(bob), "case 8");
    erase(ANN);
    assertThrows(MessageErasedException.class, () -> readAlone(0, own), "the control");
    assertThrows(
        TenantException.class, () -> erasing().customer(customer), "bob's mailbox is held");
    holds.release(others.id());
  }

  /** A hold that is set at the same moment: whoever comes first has the lock. */
  @Test
  void aHoldThatIsBeingSetIsWaitedFor() throws Exception {
    List<TenantException> refused = new CopyOnWriteArrayList<>();
    Thread[] eraser = new Thread[1];
    database
        .jdbi()
        .useTransaction(
            handle -> {
              handle
                  .select("select id from customer where id = ? for update", customer.id().value())
                  .mapTo(UUID.class)
                  .findOne();
              eraser[0] =
                  Thread.ofVirtual()
                      .start(
                          () -> {
                            try {
                              erase(ANN);
                            } catch (TenantException e) {
                              refused.add(e);
                            }
                          });
              Await.until(
                  () ->
                      handle
                          .select(
                              "select exists (select from pg_locks where not granted"
                                  + " and pg_backend_pid() = any(pg_blocking_pids(pid)))")
                          .mapTo(Boolean.class)
                          .one());
              handle.execute(
                  "insert into legal_hold (id, customer_id, mailbox_id, reason, set_at)"
                      + " values (?, ?, null, 'late', now())",
                  UUID.randomUUID(),
                  customer.id().value());
            });
    eraser[0].join();
    assertEquals(1, refused.size());
    assertEquals(Optional.of(ann), tenants().findMailbox(ANN));
    assertEquals(customer.id(), ring().mailboxKey(ann).customer());
  }

  @Test
  void aDomainsOnlyPostmasterStaysAndACatchAllGoesOn() throws Exception {
    Tenants tenants = tenants();
    EmailAddress postmaster = address("postmaster@example.com");
    MailboxId own = tenants.findMailbox(postmaster).orElseThrow();
    TenantException refused = assertThrows(TenantException.class, () -> erase(postmaster));
    assertTrue(refused.toString().contains("every domain takes mail"), refused::toString);
    tenants.addAlias(postmaster, ANN);
    refused = assertThrows(TenantException.class, () -> erase(ANN));
    assertTrue(refused.toString().contains(postmaster.toString()), refused::toString);
    assertEquals(Optional.of(ann), tenants.findMailbox(ANN), "nothing changed");
    Erasing erasing = erasing();
    erasing.mailbox(erasing.erasures().find(own));
    assertThrows(KeyErasedException.class, () -> ring().mailboxKey(own), "it is none any more");
    tenants.addAlias(postmaster, BOB);
    erase(ANN);

    // With a catch-all the postmaster's mail goes there.
    tenants.addDomain(customer, "all.example", true);
    EmailAddress any = address("*@all.example");
    MailboxId before = found("someone@all.example");
    erase(address("postmaster@all.example"));
    assertEquals(before, found("postmaster@all.example"));
    erase(any);
    MailboxId after = found("someone@all.example");
    assertNotEquals(before, after);
    assertEquals(after, found("postmaster@all.example"));
    assertThrows(KeyErasedException.class, () -> ring().mailboxKey(before));
    assertEquals(customer.id(), ring().mailboxKey(after).customer());
    assertThrows(TenantException.class, () -> erase(ANN), "it has no address any more");
  }

  private MailboxId found(String address) {
    return assertInstanceOf(
            RecipientLookup.Found.class,
            new DatabaseDirectory(database, Duration.ZERO, new Route.Mx(Route.Tls.OFF))
                .lookup(address(address)))
        .recipient()
        .mailbox();
  }

  @Test
  void openDeliveriesEndByARuleAndTheBalanceHolds() throws Exception {
    Place place = keep("for both", ann, bob);
    MessageId waiting = enter(place, DeliveryState.WAITING, DeliveryState.WAITING);
    MessageId held = enter(place, DeliveryState.HELD, DeliveryState.HELD);
    MessageId busy = enter(place, DeliveryState.IN_PROGRESS, DeliveryState.IN_PROGRESS);
    events.clear();
    assertEquals(new ErasedMail.Open(2, 1), erasing().open(erasing().erasures().find(ann)));
    Erasing.Outcome outcome = erase(ANN);
    assertEquals(2, outcome.removed());
    String removed = DeliveryState.REMOVED + " " + ErasedMail.RULE;
    assertEquals(List.of(removed, "WAITING "), states(waiting));
    assertEquals(List.of(removed, "HELD score 7"), states(held));
    assertEquals(List.of("IN_PROGRESS ", "IN_PROGRESS "), states(busy), "a node works on it");
    assertEquals(2, events.size());
    assertInstanceOf(MailEvent.Removed.class, events.getFirst());
    MessageView story = new MessageQueries(database).find(waiting).getFirst();
    assertTrue(
        story.steps().stream().anyMatch(step -> step.detail().equals(ErasedMail.RULE)),
        story::toString);

    // The node died, or put the delivery off: the next look ends it, and a record that came late.
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update delivery set due_at = now() - interval '1 second' where message_id = ?",
                    busy.value()));
    MessageId late = enter(place, DeliveryState.WAITING);
    KeyUpkeep upkeep = new KeyUpkeep(ring(), erasing()::complete);
    upkeep.look();
    assertEquals(List.of(removed, "IN_PROGRESS "), states(busy));
    assertEquals(List.of(removed), states(late));
    assertEquals(0, Balance.all(database).stream().mapToLong(Balance::difference).sum());
  }

  @Test
  void aStoreThatWasAwayGetsTheTombstoneAndBringsNothingBack() throws Exception {
    Place own = keep("for ann", ann);
    stores.get(2).mood(FaultyStore.Mood.FAILING);
    Erasing.Outcome outcome = erase(ANN);
    assertEquals(1, outcome.lacking().size());
    stores.get(2).mood(FaultyStore.Mood.GOOD);
    assertEquals("for ann", readAlone(2, own), "it was away: it has the key yet");
    assertThrows(MessageErasedException.class, () -> readWithDatabase(own));
    vault.upkeep().equalize();
    KeyUpkeep upkeep = new KeyUpkeep(ring(), ids -> {});
    upkeep.look();
    for (int store = 0; store < 3; store++) {
      int alone = store;
      assertThrows(MessageErasedException.class, () -> readAlone(alone, own));
      assertEquals(record(disks.getFirst(), ann), record(disks.get(store), ann));
    }
    assertEquals(List.of(), shelf.unsettled(10));
  }

  /** A row that nothing of a lower generation replaces: what it says was never sealed. */
  @Test
  void aForgedRowDoesNotKeepAKeyFromBeingErased() throws Exception {
    Place own = keep("for ann", ann);
    Parcel live = shelf.get(ann.value()).orElseThrow();
    forgeRow(ann);
    assertEquals("for ann", readWithDatabase(own), "the stores have the key");
    assertEquals(Optional.of(live), shelf.get(ann.value()), "and the row was put right");
    forgeRow(ann);
    assertTrue(ring().spread(ann.value()).everywhere());
    assertEquals(Optional.of(live), shelf.get(ann.value()));
    assertEquals(live, record(disks.getFirst(), ann));

    forgeRow(ann);
    erase(ANN);
    assertThrows(KeyErasedException.class, () -> ring().mailboxKey(ann));
    assertThrows(MessageErasedException.class, () -> readAlone(0, own));
  }

  private void forgeRow(MailboxId mailbox) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update wrapped_key set generation = ? where id = ?",
                    Long.MAX_VALUE,
                    mailbox.value()));
  }

  /** Forgets an erasure as a database does that is put back from before it. */
  private void putBack(Map<UUID, Parcel> records, String address, MailboxId mailbox) {
    database
        .jdbi()
        .useTransaction(
            handle -> {
              handle.execute("update mailbox set erased_at = null where id = ?", mailbox.value());
              handle.execute(
                  "insert into address (address, customer_id, mailbox_id, domain)"
                      + " values (?, ?, ?, 'example.com') on conflict (address)"
                      + " do update set mailbox_id = excluded.mailbox_id",
                  address,
                  customer.id().value(),
                  mailbox.value());
              records.forEach(
                  (id, record) ->
                      handle.execute(
                          "update wrapped_key set generation = ?, record = ?, unsettled = false"
                              + " where id = ?",
                          record.generation(),
                          record.content(),
                          id));
            });
  }

  private RecipientLookup lookup(String address) {
    return new DatabaseDirectory(database, Duration.ZERO, new Route.Mx(Route.Tls.OFF))
        .lookup(address(address));
  }

  /** The stores have the tombstone, the database comes from before the erasure. */
  @Test
  void whatAnOldDatabaseBringsBackIsErasedAgain() throws Exception {
    Parcel before = shelf.get(ann.value()).orElseThrow();
    Place place = keep("for both", ann, bob);
    erase(ANN);
    putBack(Map.of(ann.value(), before), "ann@example.com", ann);
    MessageId waiting = enter(place, DeliveryState.WAITING, DeliveryState.WAITING);
    LegalHold hold = holds.set(customer, Optional.of(ann), "older than the erasure");
    assertInstanceOf(RecipientLookup.Found.class, lookup("ann@example.com"), "the control");
    assertEquals("for both", readWithDatabase(keep("for both", ann, bob)), "its key counts yet");

    KeyUpkeep upkeep = new KeyUpkeep(ring(), erasing()::complete);
    assertEquals(1, upkeep.sweep());
    assertThrows(VaultUnavailableException.class, () -> fresh(ann, bob), "bob's waits with it");
    upkeep.look();
    assertInstanceOf(RecipientLookup.UnknownUser.class, lookup("ann@example.com"));
    assertInstanceOf(RecipientLookup.Found.class, lookup("bob@example.com"));
    assertEquals(
        List.of(DeliveryState.REMOVED + " " + ErasedMail.RULE, "WAITING "), states(waiting));
    assertTrue(erasing().erasures().find(ann).erasedAt().isPresent());
    holds.release(hold.id());
    assertEquals(List.of(), erasing().mailbox(erasing().erasures().find(ann)).lacking());
  }

  // Through a vault of its own: keys that a running one has in memory are used for some time.
  private void fresh(MailboxId... holders) throws Exception {
    SegmentVault own = new SegmentVault(VAULT, stores, ring(), events::add, Clock.systemUTC());
    try (own) {
      List<MessageFrame.Holder> all =
          Stream.of(holders).map(each -> new MessageFrame.Holder(customer.id(), each)).toList();
      own.keep(new MessageFrame(MessageId.create(), all, new byte[0], new byte[0]));
    }
  }

  /** The postmaster of a domain gets mail, whatever a database brings back. */
  @Test
  void anOldDatabasesPostmasterGoesOnWithAFreshMailbox() throws Exception {
    EmailAddress postmaster = address("postmaster@example.com");
    MailboxId own = tenants().findMailbox(postmaster).orElseThrow();
    Parcel before = shelf.get(own.value()).orElseThrow();
    tenants().addAlias(postmaster, BOB);
    Erasing erasing = erasing();
    erasing.mailbox(erasing.erasures().find(own));
    putBack(Map.of(own.value(), before), postmaster.toString(), own);
    assertEquals(own, found(postmaster.toString()), "the control");

    // Said by a person, before any node has looked: the stores know.
    erasing = erasing();
    new KeyUpkeep(ring(), ids -> {}).sweep();
    erasing.mailbox(erasing.erasures().find(own));
    MailboxId after = found(postmaster.toString());
    assertNotEquals(own, after);
    assertEquals(customer.id(), ring().mailboxKey(after).customer());
    assertTrue(erasing.erasures().find(own).erasedAt().isPresent());
  }

  @Test
  void anErasedCustomerThatAnOldDatabaseBringsBackGoesAgain() throws Exception {
    UUID id = customer.id().value();
    Parcel before = shelf.get(id).orElseThrow();
    Parcel tombstone = ring().tombstone(customer.id(), Instant.now());
    Parcel _ = shelf.raise(id, tombstone);
    assertTrue(ring().spread(id).everywhere());
    putBack(Map.of(id, before), "ann@example.com", ann);
    assertEquals(customer.id(), ring().mailboxKey(ann).customer(), "the control: it counts yet");
    KeyUpkeep upkeep = new KeyUpkeep(ring(), erasing()::complete);
    assertEquals(1, upkeep.sweep());
    upkeep.look();
    assertTrue(tenants().findCustomer("Example Ltd").isEmpty());
    assertInstanceOf(RecipientLookup.NotOurs.class, lookup("ann@example.com"));
    assertTrue(erasing().erasures().find(bob).erasedAt().isPresent());
  }

  /** Said again of what is erased already: the rest is finished. */
  @Test
  void erasingTwiceFinishesWhatIsLeft() throws Exception {
    stores.get(2).mood(FaultyStore.Mood.FAILING);
    assertEquals(1, erase(ANN).lacking().size());
    stores.get(2).mood(FaultyStore.Mood.GOOD);
    Erasing erasing = erasing();
    Erasures.Target again = erasing.erasures().find(ann);
    assertTrue(again.erasedAt().isPresent());
    assertEquals(List.of(), erasing.mailbox(again).lacking());
    assertEquals(record(disks.get(0), ann), record(disks.get(2), ann));
  }

  /** Killed at each write to a store in turn: unreadable at once, and finished by any node. */
  @Test
  void killedAtAnyPointItIsFinishedByANode() throws Exception {
    for (int at = 0; at <= 6; at++) {
      for (boolean after : List.of(false, true)) {
        EmailAddress user = address("user-" + at + "-" + after + "@example.com");
        MailboxId mailbox = tenants().addUser(user);
        Place own = keep("own", mailbox);
        assertEquals("own", readWithDatabase(own), "the control");
        DyingStore.Killer killer = new DyingStore.Killer(at, after);
        Erasing dying = erasing(disks.stream().map(disk -> new DyingStore(disk, killer)).toList());
        Erasing.Outcome cut = dying.mailbox(dying.erasures().find(user));
        assertFalse(cut.lacking().isEmpty(), "killed at " + at);
        assertThrows(MessageErasedException.class, () -> readWithDatabase(own));
        vault.upkeep().equalize();
        new KeyUpkeep(ring(), ids -> {}).look();
        for (int store = 0; store < 3; store++) {
          int alone = store;
          assertThrows(MessageErasedException.class, () -> readAlone(alone, own));
        }
        assertEquals(List.of(), shelf.unsettled(10));
      }
    }
  }

  @Test
  void aRunningNodeForgetsTheKeyWhenItLooks() throws Exception {
    KeyRing running = ring();
    assertEquals(customer.id(), running.mailboxKey(ann).customer());
    assertEquals(customer.id(), running.mailboxKey(bob).customer());
    erase(ANN);
    assertEquals(customer.id(), running.mailboxKey(ann).customer(), "the control: in memory");
    new KeyUpkeep(running, ids -> {}).look();
    assertThrows(KeyErasedException.class, () -> running.mailboxKey(ann));
    assertEquals(customer.id(), running.mailboxKey(bob).customer());
  }

  @Test
  void aCustomerGoesWithAllItsMailboxes() throws Exception {
    Tenants tenants = tenants();
    tenants.addCustomer("Other Ltd");
    Customer other = tenants.findCustomer("Other Ltd").orElseThrow();
    tenants.addDomain(other, "other.example", false);
    MailboxId eve = tenants.addUser(address("eve@other.example"));
    Place own = keep("for both", ann, bob);
    MessageId waiting = enter(own, DeliveryState.WAITING, DeliveryState.HELD);
    KeyRing running = ring();
    assertEquals(customer.id(), running.mailboxKey(ann).customer());
    Settings settings = new Settings(database, new Replicas(stores, 2), ring(), List.of());
    assertEquals(2, settings.writeChanged(), "the control: both customers'");
    Erasing.Outcome outcome = erasing().customer(customer);
    assertEquals(1, settings.waiting());
    Settings later = new Settings(database, new Replicas(stores, 2), ring(), List.of());
    assertEquals(0, later.writeChanged(), "nothing seals them any more");
    assertEquals(0, later.waiting());
    assertEquals(1, ring().labels(disks.getFirst()).customers().size(), "Other Ltd alone");
    assertEquals(List.of(), ring().labels(disks.getFirst()).unreadable());
    assertEquals(List.of(), outcome.lacking());
    assertEquals(2, outcome.removed());
    assertEquals(
        List.of("REMOVED " + ErasedMail.RULE, "REMOVED " + ErasedMail.RULE), states(waiting));
    for (int store = 0; store < 3; store++) {
      int alone = store;
      assertThrows(MessageErasedException.class, () -> readAlone(alone, own));
    }
    new KeyUpkeep(running, ids -> {}).look();
    assertThrows(KeyErasedException.class, () -> running.mailboxKey(ann));
    assertThrows(KeyErasedException.class, () -> running.customerKey(customer.id()));
    assertEquals(other.id(), running.mailboxKey(eve).customer(), "the control");
    assertTrue(tenants.findCustomer("Example Ltd").isEmpty());
    assertEquals(
        List.of("other.example"),
        tenants.domains().stream().map(Tenants.DomainListed::name).toList());
    CustomerId _ = tenants.addCustomer("Example Ltd");
  }
}
