package net.postern.ledger;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;
import net.postern.tenant.Customer;
import net.postern.tenant.LegalHolds;
import net.postern.tenant.Tenants;
import net.postern.testkit.ManualClock;
import net.postern.vault.Compactor;
import net.postern.vault.MessageFrame;
import net.postern.vault.Place;
import net.postern.vault.SegmentBook;
import net.postern.vault.SegmentVault;
import net.postern.vault.StoreChoice;
import net.postern.vault.VaultUnavailableException;
import net.postern.vault.VaultWorld;

/** A vault on three disks, a ledger, and a clock that stands still: how long is what kept? */
final class RetentionWorld implements AutoCloseable {
  static final Duration GRACE = Duration.ofHours(1);
  static final Duration KEEP_FINISHED = Duration.ofDays(14);

  final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
  final Database database = TestDatabase.open();
  final VaultWorld stores;
  final Ledger ledger = new Ledger(database, UUID.randomUUID(), Duration.ofMinutes(15));
  final SegmentTable segments = new SegmentTable(database);
  final LegalHolds holds = new LegalHolds(database, clock);
  final Keepers keepers = new Keepers(database, clock);
  final Set<MailboxId> erased = new HashSet<>();
  final SegmentRetention retention =
      new SegmentRetention(database, holds, () -> Set.copyOf(erased), KEEP_FINISHED);
  final KeyRing keys;
  private volatile UUID latest = new UUID(0, 0);
  final MessageQueries queries = new MessageQueries(database);

  RetentionWorld(Path directory, long segmentBytes) throws IOException {
    stores = new VaultWorld(directory, segmentBytes);
    stores.clock = clock;
    keys = stores.keys();
    stores.facts = retention;
    // Opened once, before many threads ask for it.
    stores.vault();
    sql(
        "insert into customer (id, name) values (?, ?)",
        stores.customer.value(),
        stores.customer.toString());
    for (MailboxId mailbox : List.of(stores.mailbox, stores.other)) {
      sql(
          "insert into mailbox (id, customer_id) values (?, ?)",
          mailbox.value(),
          stores.customer.value());
    }
  }

  /** The customer of the world, as holds are set on it. */
  Customer customer() {
    return new Tenants(database, stores.keys())
        .findCustomer(stores.customer.toString())
        .orElseThrow();
  }

  void sql(String sql, Object... arguments) {
    database.jdbi().useHandle(handle -> handle.execute(sql, arguments));
  }

  /** A message on its way into the ledger. */
  record Sent(MessageId id, MessageFrame frame, CompletableFuture<Void> entered) {}

  /** Accepts a message for the mailbox; its one delivery begins in a state. */
  Sent send(int bytes, DeliveryState state) throws Exception {
    return send(bytes, List.of(stores.customer), stores.mailbox, state);
  }

  Sent send(int bytes, List<CustomerId> customers, MailboxId mailbox, DeliveryState state)
      throws Exception {
    MessageFrame frame = stores.frame(new byte[bytes]);
    Place place = stores.vault().keep(frame).place();
    latest = place.segment();
    List<MessageRecord> records = new ArrayList<>();
    for (CustomerId customer : customers) {
      records.add(record(frame.id(), customer, mailbox, state, place));
    }
    return new Sent(frame.id(), frame, ledger.record(records, () -> {}));
  }

  private MessageRecord record(
      MessageId id, CustomerId customer, MailboxId mailbox, DeliveryState state, Place place) {
    EmailAddress recipient = EmailAddress.parse("user@example.com").orElseThrow();
    Instant now = clock.instant();
    return new MessageRecord(
        customer,
        id,
        now,
        MessageRecord.Origin.SMTP,
        place,
        100,
        false,
        EmailAddress.parse("sender@example.net"),
        "192.0.2.1",
        "helo.example",
        "PASS",
        0,
        "",
        List.of(
            new MessageRecord.NewDelivery(
                recipient, mailbox, state, "", now.plus(Duration.ofDays(5)), "", "")));
  }

  /** {@link #send}, and waits until the ledger has it. */
  MessageId enter(int bytes, DeliveryState state) throws Exception {
    Sent sent = send(bytes, state);
    sent.entered().get();
    return sent.id();
  }

  /** All deliveries of a message end now. */
  void finish(MessageId id) {
    sql(
        "update delivery set state = 3, due_at = ? where message_id = ?",
        Timestamp.from(clock.instant()),
        id.value());
  }

  /**
   * Ends the open segment and notes it as entered: what the reconciler does.
   *
   * @return the segment of the latest message
   */
  UUID endSegment() {
    SegmentVault vault = stores.vault();
    stores.restart();
    List<UUID> ended = vault.ended();
    ended.forEach(segments::markRecorded);
    if (!ended.contains(latest)) {
      throw new IllegalStateException("no message was sent since the vault was opened");
    }
    return latest;
  }

  Compactor compactor() {
    return compactor(StoreChoice.of(stores.stores), retention);
  }

  Compactor compactor(StoreChoice choice, SegmentBook book) {
    return compactor(choice, book, Compactor.Hooks.NONE);
  }

  Compactor compactor(StoreChoice choice, SegmentBook book, Compactor.Hooks hooks) {
    return new Compactor(stores.config(), GRACE, choice, book, keys, hooks, clock);
  }

  /** As a node has it: it knows which stores take mail, and which are full. */
  Compactor nodeCompactor() {
    SegmentVault vault = stores.vault();
    return compactor(
        vault.stores(),
        retention,
        new Compactor.Hooks(
            () -> {}, vault.upkeep()::equalizeSoon, vault.upkeep()::give, () -> Duration.ZERO));
  }

  /** A pass, and another when the grace of what it dropped is over. */
  Compactor.Report compact() throws Exception {
    Compactor compactor = compactor();
    Compactor.Report report = compactor.pass();
    clock.advance(GRACE);
    compactor.pass();
    return report;
  }

  Place place(MessageId id) {
    return queries.find(id).getFirst().place();
  }

  boolean isGone(MessageId id) {
    return queries.find(id).getFirst().goneSince().isPresent();
  }

  /** In how many stores alone a message can be read at the place that the ledger names. */
  int copies(MessageId id) {
    return stores.copies(place(id));
  }

  /** Whether any store has a frame of this message. */
  boolean isInAnyStore(MessageId id) throws IOException {
    for (int store = 0; store < 3; store++) {
      if (stores.frames(store).containsKey(id)) {
        return true;
      }
    }
    return false;
  }

  byte[] read(MessageId id) throws VaultUnavailableException {
    return stores.vault().read(place(id)).content();
  }

  Optional<MailboxId> mailbox() {
    return Optional.of(stores.mailbox);
  }

  long difference() {
    return Balance.all(database).stream().mapToLong(Balance::difference).sum();
  }

  @Override
  public void close() {
    ledger.close();
    stores.close();
    database.close();
  }
}
