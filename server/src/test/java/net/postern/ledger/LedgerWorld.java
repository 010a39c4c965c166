package net.postern.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.vault.Place;

/** A database of its own, ledgers of two nodes over it, and messages to enter. */
final class LedgerWorld implements AutoCloseable {
  static final Duration LEASE = Duration.ofMinutes(15);
  final Database database = TestDatabase.open();
  final Ledger one = new Ledger(database, UUID.randomUUID(), LEASE);
  final Ledger two = new Ledger(database, UUID.randomUUID(), LEASE);
  final CustomerId customer = CustomerId.create();
  final MailboxId mailbox = MailboxId.create();

  static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  MessageRecord message(DeliveryState... states) {
    return message(customer, "helo.example", states);
  }

  MessageRecord message(CustomerId whose, String helo, DeliveryState... states) {
    Instant now = Instant.now();
    List<MessageRecord.NewDelivery> deliveries = new ArrayList<>();
    for (DeliveryState state : states) {
      deliveries.add(
          new MessageRecord.NewDelivery(
              address("user" + deliveries.size() + "@example.com"),
              mailbox,
              state,
              state == DeliveryState.HELD ? "score 7" : "",
              now.plus(Duration.ofDays(5)),
              "",
              ""));
    }
    return new MessageRecord(
        whose,
        MessageId.create(),
        now,
        MessageRecord.Origin.SMTP,
        new Place(UUID.randomUUID(), 40, 500),
        300,
        false,
        Optional.of(address("sender@example.net")),
        "192.0.2.1",
        helo,
        "PASS",
        0.5,
        "A=0.5",
        deliveries);
  }

  void enter(MessageRecord... records) throws Exception {
    for (MessageRecord each : records) {
      one.record(List.of(each), () -> {}).get(20, TimeUnit.SECONDS);
    }
  }

  static DeliveryKey key(MessageRecord record, int number) {
    return new DeliveryKey(record.customer(), record.id(), number);
  }

  MessageView view(DeliveryKey key) {
    return new MessageQueries(database)
        .find(key.message()).stream()
            .filter(each -> each.key().equals(key))
            .findFirst()
            .orElseThrow();
  }

  DeliveryState state(DeliveryKey key) {
    return view(key).state();
  }

  void sql(String sql, Object... arguments) {
    database.jdbi().useHandle(handle -> handle.execute(sql, arguments));
  }

  void settle(Ledger ledger, Settlement settlement) throws Exception {
    ledger.settle(settlement).get(20, TimeUnit.SECONDS);
  }

  /** The lease of a delivery ends now. */
  void expire(DeliveryKey key) {
    sql(
        "update delivery set due_at = now() - interval '1 second' where message_id = ? and number ="
            + " ?",
        key.message().value(),
        key.number());
  }

  Balance balance() {
    return Balance.all(database).stream()
        .filter(each -> each.customer().equals(customer))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {
    one.close();
    two.close();
    database.close();
  }
}
