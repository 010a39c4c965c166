package net.postern.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.db.Database;

/**
 * Makes the ledger again from what a store has: first its journal, then its messages. Every step
 * may be repeated; a run that was interrupted goes on where it was. Safe for many threads.
 */
public final class LedgerRebuild {
  /** Entries that are loaded in one statement. */
  private static final int LOAD = 5_000;

  /** Distance between the numbers before a rebuild and those after it. */
  private static final long AHEAD = 1L << 32;

  private static final String SEEN =
      """
      insert into journal_seen as j
        (message_id, customer_id, number, id, state, since, give_up_at, attempts, rule)
      select * from unnest(?::uuid[], ?::uuid[], ?::smallint[], ?::bigint[], ?::smallint[],
        ?::timestamptz[], ?::timestamptz[], ?::smallint[], ?::text[])
      on conflict (message_id, customer_id, number) do update set id = excluded.id,
        state = excluded.state, since = excluded.since, give_up_at = excluded.give_up_at,
        attempts = excluded.attempts, rule = excluded.rule
      where (excluded.state in (3, 4, 5), excluded.id) > (j.state in (3, 4, 5), j.id)\
      """;

  private static final String OUTCOMES =
      """
      select id, customer_id, message_id, number, state, since, give_up_at, attempts, rule
      from journal_seen where message_id = any(?)\
      """;

  private final Database database;

  public LedgerRebuild(Database database) {
    this.database = database;
  }

  /** The store of a rebuild that was begun and not finished. */
  public Optional<String> unfinished() {
    return database.row(
        "select store from rebuild where finished_at is null", row -> row.getString("store"));
  }

  /**
   * How a rebuild ended.
   *
   * @param store the store that it read
   * @param damaged places where something was that is no whole frame
   * @param erased messages without any key left
   * @param unreadable messages that could not be read for another reason
   * @param whole whether all that the store should have came back
   */
  public record End(String store, int damaged, long erased, long unreadable, boolean whole) {}

  /** The rebuild that made this ledger, while no node has used it yet. */
  public Optional<End> unused() {
    return database.row(
        "select store, damaged, erased, unreadable, whole from rebuild"
            + " where finished_at is not null and whole is not null and used_at is null",
        row ->
            new End(
                row.getString("store"),
                row.getInt("damaged"),
                row.getLong("erased"),
                row.getLong("unreadable"),
                row.getBoolean("whole")));
  }

  /** Notes that a node uses the ledger: from here on it differs from what a rebuild made. */
  public void noteUse() {
    database
        .jdbi()
        .useHandle(
            handle -> handle.execute("update rebuild set used_at = now() where used_at is null"));
  }

  /** Whether the ledger has no message and never had one. */
  public boolean isEmpty() {
    return database
        .row("select exists (select from message) there", row -> row.getBoolean("there"))
        .map(there -> !there)
        .orElse(true);
  }

  /** Notes that a rebuild is under way: until {@link #finish} no node starts on this ledger. */
  public void begin(String store) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "insert into rebuild (store) values (?) on conflict (one) do update set"
                        + " store = excluded.store, started_at = now(), finished_at = null,"
                        + " used_at = null",
                    store));
  }

  /** Loads entries of the journal; of two for one delivery the one that counts stays. */
  public void load(List<JournalEntry> entries) throws SQLException {
    for (int from = 0; from < entries.size(); from += LOAD) {
      Map<DeliveryKey, JournalEntry> last = new LinkedHashMap<>();
      for (JournalEntry each : entries.subList(from, Math.min(entries.size(), from + LOAD))) {
        // One statement must not name a row twice.
        last.merge(each.delivery(), each, (a, b) -> b.supersedes(a) ? b : a);
      }
      loadDistinct(last.values());
    }
  }

  private void loadDistinct(Collection<JournalEntry> entries) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(SEEN)) {
      statement.setArray(
          1, array(connection, "uuid", entries, e -> e.delivery().message().value()));
      statement.setArray(
          2, array(connection, "uuid", entries, e -> e.delivery().customer().value()));
      statement.setArray(
          3, array(connection, "smallint", entries, e -> (short) e.delivery().number()));
      statement.setArray(4, array(connection, "bigint", entries, JournalEntry::number));
      statement.setArray(5, array(connection, "smallint", entries, e -> (short) e.state().code()));
      statement.setArray(
          6, array(connection, "timestamptz", entries, e -> Timestamp.from(e.since())));
      statement.setArray(
          7, array(connection, "timestamptz", entries, e -> Timestamp.from(e.giveUpAt())));
      statement.setArray(8, array(connection, "smallint", entries, e -> (short) e.attempts()));
      statement.setArray(
          9, array(connection, "text", entries, e -> e.rule().replace('\0', '\ufffd')));
      statement.executeUpdate();
    }
  }

  private static java.sql.Array array(
      Connection connection,
      String type,
      Collection<JournalEntry> entries,
      java.util.function.Function<JournalEntry, Object> column)
      throws SQLException {
    return connection.createArrayOf(type, entries.stream().map(column).toArray());
  }

  /**
   * Enters messages in one transaction, their deliveries where the loaded journal says; those that
   * it does not know as the records say, with none in progress. Messages that are there stay.
   */
  public void enter(List<MessageRecord> records) throws SQLException {
    List<MessageRecord> sorted = new ArrayList<>(records);
    // Two threads that meet the same messages then lock them in the same order.
    sorted.sort(Comparator.comparing(MessageRecord::id).thenComparing(r -> r.customer().value()));
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try {
        LedgerRows.insertRebuilt(connection, sorted, outcomes(connection, sorted));
        connection.commit();
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static Map<DeliveryKey, JournalEntry> outcomes(
      Connection connection, List<MessageRecord> records) throws SQLException {
    UUID[] ids = records.stream().map(each -> each.id().value()).toArray(UUID[]::new);
    Map<DeliveryKey, JournalEntry> outcomes = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(OUTCOMES)) {
      statement.setArray(1, connection.createArrayOf("uuid", ids));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          JournalEntry entry = Journal.entry(row);
          outcomes.put(entry.delivery(), entry);
        }
      }
    }
    return outcomes;
  }

  /** How many deliveries the loaded journal knows of whose message was not found. */
  public long orphans() {
    return database
        .row(
            "select count(*) n from journal_seen j where not exists (select from message m"
                + " where m.id = j.message_id and m.customer_id = j.customer_id)",
            row -> row.getLong("n"))
        .orElse(0L);
  }

  /** Segments that the rebuild has read from its store. */
  public Set<UUID> walked() {
    return database
        .jdbi()
        .withHandle(
            handle ->
                new HashSet<>(
                    handle.createQuery("select id from rebuilt_segment").mapTo(UUID.class).list()));
  }

  /** Notes that a segment was read from the rebuild's store. Others may have more of it. */
  public void noteWalked(UUID segment) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "insert into rebuilt_segment (id) values (?) on conflict do nothing", segment));
  }

  /** Forgets journal and segments: everything that any store has was entered. */
  public void forget() {
    database.jdbi().useHandle(handle -> handle.execute("truncate journal_seen, rebuilt_segment"));
  }

  /**
   * Ends the rebuild: further entries of the journal get higher numbers than all that were, far
   * higher, since a store that is away may have entries that were not seen. What the journal said
   * stays, for what the other stores have; see {@link #forget}. How it ended is kept in the same
   * transaction: whoever is killed before it could say so finds it again with {@link #unused}.
   */
  public void finish(End end) {
    database
        .jdbi()
        .useTransaction(
            handle -> {
              handle
                  .createQuery(
                      "select setval(pg_get_serial_sequence('journal_outbox', 'id'),"
                          + " greatest((select max(id) from journal_seen),"
                          + " (select max(id) from journal_outbox), 1) + ?)")
                  .bind(0, AHEAD)
                  .mapTo(Long.class)
                  .one();
              handle.execute(
                  "update rebuild set finished_at = now(), damaged = ?, erased = ?, unreadable = ?,"
                      + " whole = ? where finished_at is null",
                  end.damaged(),
                  end.erased(),
                  end.unreadable(),
                  end.whole());
            });
    database.jdbi().useHandle(handle -> handle.execute("analyze message, delivery"));
  }
}
