package net.postern.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;

/**
 * The statements of the hot path: what intake inserts and delivery updates, in batches over one
 * connection. Plain JDBC, because these run thousands of times a second. The caller commits.
 */
final class LedgerRows {
  private static final String INSERT_MESSAGE =
      """
      insert into message (customer_id, id, accepted_at, origin, segment, frame_offset, frame_length,
        bytes, utf8, reverse_path, client, helo, verdict, score, findings, recipients)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do nothing\
      """;

  private static final String INSERT_DELIVERY =
      """
      insert into delivery (customer_id, message_id, number, mailbox_id, recipient, state, due_at,
        give_up_at, node, rule, mark, subject_tag)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do nothing\
      """;

  // The lease must still be ours: a node that was slow must not overwrite what another one did.
  private static final String OURS = " and d.state = 1 and d.node = ?";

  private static final String DELIVERED =
      """
      update delivery d set state = 3, due_at = now(), attempts = d.attempts + 1, reply = u.reply
      from unnest(?::uuid[], ?::uuid[], ?::smallint[], ?::text[])
        as u (customer_id, message_id, number, reply)
      where d.customer_id = u.customer_id and d.message_id = u.message_id and d.number = u.number\
      """
          + OURS;

  private static final String RETRY =
      """
      update delivery d set state = 0, due_at = ?, attempts = d.attempts + 1, reply = ?, node = null
      where d.customer_id = ? and d.message_id = ? and d.number = ?\
      """
          + OURS;

  private static final String RETURNED =
      """
      update delivery d set state = 4, due_at = now(), attempts = d.attempts + 1, reply = ?
      where d.customer_id = ? and d.message_id = ? and d.number = ?\
      """
          + OURS;

  private static final String UNATTEMPTED =
      """
      update delivery d set state = 0, due_at = now(), node = null
      where d.customer_id = ? and d.message_id = ? and d.number = ?\
      """
          + OURS;

  private static final String TRACE =
      """
      insert into trace (happened_at, customer_id, message_id, event, recipient, detail)
      select now(), ?, ?, ?, coalesce(
        (select recipient from delivery where customer_id = ? and message_id = ? and number = ?), ''), ?\
      """;

  /** Longest text of a reply that is kept, in characters. */
  private static final int MAX_REPLY = 500;

  private final UUID node;

  LedgerRows(UUID node) {
    this.node = node;
  }

  /** Inserts messages and their deliveries; rows that are there already stay as they are. */
  void insert(Connection connection, List<MessageRecord> records, Duration lease)
      throws SQLException {
    Timestamp leaseEnd = Timestamp.from(Instant.now().plus(lease));
    try (PreparedStatement message = connection.prepareStatement(INSERT_MESSAGE);
        PreparedStatement delivery = connection.prepareStatement(INSERT_DELIVERY)) {
      for (MessageRecord each : records) {
        bindMessage(message, each);
        message.addBatch();
        Timestamp accepted = Timestamp.from(each.acceptedAt());
        for (int number = 0; number < each.deliveries().size(); number++) {
          bindDelivery(delivery, each, number, accepted, leaseEnd);
          delivery.addBatch();
        }
      }
      message.executeBatch();
      delivery.executeBatch();
    }
  }

  private static final String INSERT_REBUILT =
      """
      insert into delivery (customer_id, message_id, number, mailbox_id, recipient, state, due_at,
        give_up_at, rule, mark, subject_tag, attempts)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do nothing\
      """;

  /**
   * Inserts messages whose deliveries are where the journal says; those that it does not know as
   * the record says, with none in progress.
   */
  static void insertRebuilt(
      Connection connection, List<MessageRecord> records, Map<DeliveryKey, JournalEntry> outcomes)
      throws SQLException {
    try (PreparedStatement message = connection.prepareStatement(INSERT_MESSAGE);
        PreparedStatement delivery = connection.prepareStatement(INSERT_REBUILT)) {
      for (MessageRecord each : records) {
        bindMessage(message, each);
        message.addBatch();
        for (int number = 0; number < each.deliveries().size(); number++) {
          DeliveryKey key = new DeliveryKey(each.customer(), each.id(), number);
          bindRebuilt(delivery, each, key, Optional.ofNullable(outcomes.get(key)));
          delivery.addBatch();
        }
      }
      message.executeBatch();
      delivery.executeBatch();
    }
  }

  private static void bindRebuilt(
      PreparedStatement row, MessageRecord each, DeliveryKey key, Optional<JournalEntry> outcome)
      throws SQLException {
    MessageRecord.NewDelivery delivery = each.deliveries().get(key.number());
    DeliveryState first =
        delivery.state() == DeliveryState.IN_PROGRESS ? DeliveryState.WAITING : delivery.state();
    row.setObject(1, key.customer().value());
    row.setObject(2, key.message().value());
    row.setInt(3, key.number());
    row.setObject(4, delivery.mailbox().value());
    row.setString(5, delivery.recipient().toString());
    row.setInt(6, outcome.map(JournalEntry::state).orElse(first).code());
    row.setTimestamp(7, Timestamp.from(outcome.map(JournalEntry::since).orElse(each.acceptedAt())));
    row.setTimestamp(
        8, Timestamp.from(outcome.map(JournalEntry::giveUpAt).orElse(delivery.giveUpAt())));
    row.setString(9, clean(outcome.map(JournalEntry::rule).orElse(delivery.rule())));
    row.setString(10, clean(delivery.mark()));
    row.setString(11, clean(delivery.subjectTag()));
    row.setInt(12, outcome.map(JournalEntry::attempts).orElse(0));
  }

  private static void bindMessage(PreparedStatement row, MessageRecord each) throws SQLException {
    row.setObject(1, each.customer().value());
    row.setObject(2, each.id().value());
    row.setTimestamp(3, Timestamp.from(each.acceptedAt()));
    row.setInt(4, each.origin().code());
    row.setObject(5, each.place().segment());
    row.setLong(6, each.place().offset());
    row.setInt(7, each.place().length());
    row.setLong(8, each.bytes());
    row.setBoolean(9, each.utf8());
    row.setString(10, each.reversePath().map(EmailAddress::toString).orElse(null));
    row.setString(11, each.client());
    row.setString(12, clean(each.helo()));
    row.setString(13, each.verdict());
    row.setDouble(14, each.score());
    row.setString(15, clean(each.findings()));
    row.setInt(16, each.deliveries().size());
  }

  private void bindDelivery(
      PreparedStatement row, MessageRecord each, int number, Timestamp accepted, Timestamp leaseEnd)
      throws SQLException {
    MessageRecord.NewDelivery delivery = each.deliveries().get(number);
    boolean ours = delivery.state() == DeliveryState.IN_PROGRESS;
    row.setObject(1, each.customer().value());
    row.setObject(2, each.id().value());
    row.setInt(3, number);
    row.setObject(4, delivery.mailbox().value());
    row.setString(5, delivery.recipient().toString());
    row.setInt(6, delivery.state().code());
    row.setTimestamp(7, ours ? leaseEnd : accepted);
    row.setTimestamp(8, Timestamp.from(delivery.giveUpAt()));
    if (ours) {
      row.setObject(9, node);
    } else {
      row.setNull(9, Types.OTHER);
    }
    row.setString(10, clean(delivery.rule()));
    row.setString(11, clean(delivery.mark()));
    row.setString(12, clean(delivery.subjectTag()));
  }

  /** Enters the outcomes of attempts, and the reports they led to. */
  void settle(Connection connection, List<Settlement> settlements, Duration lease)
      throws SQLException {
    List<Settlement.Delivered> delivered =
        settlements.stream()
            .filter(Settlement.Delivered.class::isInstance)
            .map(Settlement.Delivered.class::cast)
            .toList();
    if (!delivered.isEmpty()) {
      settleDelivered(connection, delivered);
    }
    for (Settlement each : settlements) {
      switch (each) {
        case Settlement.Delivered done -> {}
        case Settlement.Retry retry -> {
          int changed;
          try (PreparedStatement row = connection.prepareStatement(RETRY)) {
            row.setTimestamp(1, Timestamp.from(retry.nextAttempt()));
            row.setString(2, reply(retry.reply()));
            changed = update(row, 3, retry.key());
          }
          if (changed > 0) {
            trace(connection, retry.key(), "deferred", retry.reply());
          }
        }
        case Settlement.Returned returned -> {
          int changed;
          try (PreparedStatement row = connection.prepareStatement(RETURNED)) {
            row.setString(1, reply(returned.reply()));
            changed = update(row, 2, returned.key());
          }
          if (changed > 0) {
            if (returned.report().isPresent()) {
              insert(connection, List.of(returned.report().get()), lease);
            }
            trace(connection, returned.key(), "returned", returned.reply());
          }
        }
        case Settlement.Unattempted back -> {
          try (PreparedStatement row = connection.prepareStatement(UNATTEMPTED)) {
            update(row, 1, back.key());
          }
        }
      }
    }
  }

  private void settleDelivered(Connection connection, List<Settlement.Delivered> delivered)
      throws SQLException {
    int n = delivered.size();
    UUID[] customers = new UUID[n];
    UUID[] messages = new UUID[n];
    Short[] numbers = new Short[n];
    String[] replies = new String[n];
    for (int i = 0; i < n; i++) {
      Settlement.Delivered each = delivered.get(i);
      customers[i] = each.key().customer().value();
      messages[i] = each.key().message().value();
      numbers[i] = (short) each.key().number();
      replies[i] = reply(each.reply());
    }
    try (PreparedStatement rows = connection.prepareStatement(DELIVERED)) {
      rows.setArray(1, connection.createArrayOf("uuid", customers));
      rows.setArray(2, connection.createArrayOf("uuid", messages));
      rows.setArray(3, connection.createArrayOf("smallint", numbers));
      rows.setArray(4, connection.createArrayOf("text", replies));
      rows.setObject(5, node);
      rows.executeUpdate();
    }
  }

  private int update(PreparedStatement row, int from, DeliveryKey key) throws SQLException {
    row.setObject(from, key.customer().value());
    row.setObject(from + 1, key.message().value());
    row.setInt(from + 2, key.number());
    row.setObject(from + 3, node);
    return row.executeUpdate();
  }

  /** Adds a line to the story of a delivery. */
  static void trace(Connection connection, DeliveryKey key, String event, String detail)
      throws SQLException {
    try (PreparedStatement row = connection.prepareStatement(TRACE)) {
      row.setObject(1, key.customer().value());
      row.setObject(2, key.message().value());
      row.setString(3, event);
      row.setObject(4, key.customer().value());
      row.setObject(5, key.message().value());
      row.setInt(6, key.number());
      row.setString(7, reply(detail));
      row.executeUpdate();
    }
  }

  private static String reply(String text) {
    String clean = clean(text);
    return clean.length() <= MAX_REPLY ? clean : clean.substring(0, MAX_REPLY);
  }

  // PostgreSQL's text takes every character but NUL.
  private static String clean(String text) {
    return text.indexOf('\0') < 0 ? text : text.replace('\0', '\ufffd');
  }
}
