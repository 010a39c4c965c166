package net.postern.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import net.postern.address.EmailAddress;
import net.postern.batch.GroupCommit;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.vault.Place;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records accepted messages and the outcomes of their deliveries.
 *
 * <p>Two group commits, one for each kind, each with a thread of its own. While the database is
 * away both keep trying the group in hand, in order, and the rest waits in bounded queues: nothing
 * is given up, because what they hold is already promised to someone. If the process ends
 * meanwhile, records are found again in the vault ({@code intake.Reconciler}) and outcomes are
 * attempted again.
 */
public final class Ledger implements DeliveryLedger, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);

  /** Most records in one transaction. */
  private static final int GROUP = 256;

  /** Most records that wait for a transaction. */
  private static final int QUEUE = 20_000;

  /**
   * Most outcomes that wait for a transaction; further deliveries wait with them. What is delivered
   * and not committed is delivered again after a crash, so a database that is slow or away must not
   * let that grow.
   */
  private static final int OUTCOMES = 256;

  /** Nobody waits for these commits, so larger groups cost nothing but a little delay. */
  private static final Duration LINGER = Duration.ofMillis(4);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private static final String LEASE =
      """
      with due as (
        select customer_id, message_id, number from delivery
        where state in (0, 1) and due_at <= now()
        order by due_at limit ? for update skip locked)
      update delivery d set state = 1, node = ?, due_at = now() + ? * interval '1 millisecond'
      from due, message m
      where d.customer_id = due.customer_id and d.message_id = due.message_id
        and d.number = due.number
        and m.customer_id = d.customer_id and m.id = d.message_id
      returning d.customer_id, d.message_id, d.number, d.mailbox_id, d.recipient, d.due_at,
        d.give_up_at, d.attempts, d.mark, d.subject_tag, m.segment, m.frame_offset,
        m.frame_length, m.reverse_path, m.accepted_at, m.bytes, m.utf8\
      """;

  private final Database database;
  private final UUID node;
  private final Duration lease;
  private final LedgerRows rows;
  private final GroupCommit<Entry, Void> records;
  private final GroupCommit<Settlement, Void> settlements;
  private volatile boolean closed;
  private volatile boolean away;

  /**
   * What intake enters.
   *
   * @param committed run when that is done
   */
  private record Entry(List<MessageRecord> records, Runnable committed) {}

  /**
   * Starts the two committing threads.
   *
   * @param node this node's identity, kept over restarts
   * @param lease of deliveries that are recorded as in progress
   */
  public Ledger(Database database, UUID node, Duration lease) {
    this.database = database;
    this.node = node;
    this.lease = lease;
    this.rows = new LedgerRows(node);
    this.records =
        new GroupCommit<>(
            "ledger-record",
            new GroupCommit.Limits(GROUP, GROUP, QUEUE, LINGER),
            entry -> 1,
            this::commitRecords);
    this.settlements =
        new GroupCommit<>(
            "ledger-settle",
            new GroupCommit.Limits(GROUP, GROUP, OUTCOMES, LINGER),
            each -> 1,
            this::commitOutcomes);
  }

  /**
   * Enters a message. Waits while the queue is full, as when the database has been away for long.
   *
   * @param committed run when the record is committed, on the committing thread: it must not block
   * @return completes when it is committed
   */
  public CompletableFuture<Void> record(List<MessageRecord> message, Runnable committed)
      throws InterruptedException {
    return records.submit(new Entry(message, committed));
  }

  /** How many messages wait to be entered. */
  public int backlog() {
    return records.waiting();
  }

  /** Whether the last transaction failed because the database is away. */
  public boolean away() {
    return away;
  }

  /** Whether there is room to enter more; when not, intake answers 451. */
  public boolean accepting() {
    return records.waiting() < QUEUE / 2;
  }

  @Override
  public CompletableFuture<Void> settle(Settlement settlement) {
    try {
      return settlements.submit(settlement);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return CompletableFuture.failedFuture(e);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public List<LeasedDelivery> lease(int max, Duration duration) throws LedgerUnavailableException {
    List<LeasedDelivery> leased = new ArrayList<>();
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(LEASE)) {
      statement.setInt(1, max);
      statement.setObject(2, node);
      statement.setLong(3, duration.toMillis());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          try {
            leased.add(leased(row));
          } catch (SQLException e) {
            // One row that cannot be read must not hold up the rest; its lease runs out.
            LOG.error("a delivery cannot be read and waits for someone to look at it", e);
          }
        }
      }
    } catch (SQLException e) {
      throw new LedgerUnavailableException("cannot lease deliveries", e);
    }
    leased.sort((a, b) -> a.acceptedAt().compareTo(b.acceptedAt()));
    return leased;
  }

  @Override
  public Instant nextDue() throws LedgerUnavailableException {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement("select min(due_at) from delivery where state in (0, 1)");
        ResultSet row = statement.executeQuery()) {
      Timestamp due = row.next() ? row.getTimestamp(1) : null;
      return due == null ? Instant.MAX : due.toInstant();
    } catch (SQLException e) {
      throw new LedgerUnavailableException("cannot ask what is due", e);
    }
  }

  /**
   * Gives back what an earlier run of this node had in hand when it died: those deliveries are due
   * at once. Some may have reached the next hop: a duplicate is possible, a loss is not.
   *
   * @return how many
   */
  public int recoverLeases() throws LedgerUnavailableException {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(
                "update delivery set state = 0, due_at = now(), node = null"
                    + " where state = 1 and node = ?")) {
      statement.setObject(1, node);
      return statement.executeUpdate();
    } catch (SQLException e) {
      throw new LedgerUnavailableException("cannot give back leases", e);
    }
  }

  /** Enters what is queued, then ends; gives up at once when the database is away. */
  @Override
  public void close() {
    closed = true;
    records.close();
    settlements.close();
  }

  private static LeasedDelivery leased(ResultSet row) throws SQLException {
    String reversePath = row.getString("reverse_path");
    EmailAddress recipient = address(row.getString("recipient"));
    return new LeasedDelivery(
        new DeliveryKey(
            new CustomerId(row.getObject("customer_id", UUID.class)),
            new MessageId(row.getObject("message_id", UUID.class)),
            row.getInt("number")),
        new Place(
            row.getObject("segment", UUID.class),
            row.getLong("frame_offset"),
            row.getInt("frame_length")),
        new MailboxId(row.getObject("mailbox_id", UUID.class)),
        reversePath == null ? Optional.empty() : Optional.of(address(reversePath)),
        recipient,
        row.getTimestamp("accepted_at").toInstant(),
        row.getTimestamp("give_up_at").toInstant(),
        row.getInt("attempts") + 1,
        row.getTimestamp("due_at").toInstant(),
        row.getLong("bytes"),
        row.getBoolean("utf8"),
        row.getString("mark"),
        row.getString("subject_tag"),
        Optional.empty());
  }

  private static EmailAddress address(String text) throws SQLException {
    return EmailAddress.parse(text)
        .orElseThrow(() -> new SQLException("no address in the ledger: " + text));
  }

  // ---- the two committing threads ----

  /** A transaction of one group. */
  @FunctionalInterface
  private interface Transaction {
    void run(Connection connection) throws SQLException;
  }

  private void commitRecords(List<GroupCommit.Item<Entry, Void>> group) throws SQLException {
    List<MessageRecord> all = new ArrayList<>();
    for (GroupCommit.Item<Entry, Void> item : group) {
      all.addAll(item.value().records());
    }
    commit(
        group,
        connection -> rows.insert(connection, all, lease),
        this::commitRecords,
        item -> item.value().committed().run());
  }

  private void commitOutcomes(List<GroupCommit.Item<Settlement, Void>> group) throws SQLException {
    List<Settlement> all = group.stream().map(GroupCommit.Item::value).toList();
    commit(
        group, connection -> rows.settle(connection, all, lease), this::commitOutcomes, item -> {});
  }

  // One item that the database refuses must not take its group down with it: then each goes alone.
  private <T> void commit(
      List<GroupCommit.Item<T, Void>> group,
      Transaction transaction,
      GroupCommit.Committer<T, Void> alone,
      Consumer<GroupCommit.Item<T, Void>> committed)
      throws SQLException {
    try {
      untilCommitted(transaction);
    } catch (SQLException e) {
      if (group.size() == 1 || isPassing(e)) {
        throw e;
      }
      LOG.error("the database refuses a group of {}; each is tried alone", group.size(), e);
      for (GroupCommit.Item<T, Void> item : group) {
        try {
          alone.commit(List.of(item));
        } catch (Exception each) {
          LOG.error("the database refuses {}", item.value(), each);
          item.promise().completeExceptionally(each);
        }
      }
      return;
    }
    for (GroupCommit.Item<T, Void> item : group) {
      try {
        committed.accept(item);
      } catch (RuntimeException e) {
        // It is in the database; the others must hear of theirs.
        LOG.error("what follows a commit failed", e);
      }
      item.promise().complete(null);
    }
  }

  // Both kinds may be repeated: inserts pass over rows that are there, updates ask for our lease.
  private void untilCommitted(Transaction transaction) throws SQLException {
    Duration pause = FIRST_PAUSE;
    if (closed && away) {
      throw new SQLException("the database is away and the ledger is closed");
    }
    while (true) {
      try (Connection connection = database.connection()) {
        connection.setAutoCommit(false);
        transaction.run(connection);
        connection.commit();
        away = false;
        return;
      } catch (SQLException e) {
        if (!isPassing(e)) {
          throw e;
        }
        if (closed) {
          away = true;
          throw e;
        }
        if (!away) {
          LOG.error("the database is away; what is to be entered waits", e);
          away = true;
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pause.toMillis()));
        pause =
            pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
                ? pause.multipliedBy(2)
                : LONGEST_PAUSE;
      }
    }
  }

  // SQLSTATE classes 22 (data), 23 (constraint) and 42 (statement) fail each time: a bug or hostile
  // data. Everything else (connection, shutdown, out of space, deadlock) may pass.
  private static boolean isPassing(SQLException failure) {
    String state = failure.getSQLState();
    return state == null
        || !(state.startsWith("22") || state.startsWith("23") || state.startsWith("42"));
  }
}
