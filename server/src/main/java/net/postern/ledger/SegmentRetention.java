package net.postern.ledger;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.tenant.LegalHold;
import net.postern.tenant.LegalHolds;
import net.postern.vault.Place;
import net.postern.vault.SegmentBook;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
import org.jdbi.v3.core.statement.Query;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long messages are kept, and what became of the segments that they are in.
 *
 * <p>A message is kept for one customer by the longest of these; a frame, by all customers that
 * share it:
 *
 * <ul>
 *   <li>a delivery that is waiting, in progress or held;
 *   <li>a delivery that is finished, for {@code vault.keep_finished} from then on;
 *   <li>a {@link Keepers keeper}, until the instant that it names;
 *   <li>a legal hold on the customer, or on the mailbox of a delivery or keeper, while it stands.
 * </ul>
 *
 * <p>Deliveries and keepers of a mailbox whose key was erased keep nothing: nobody can read what
 * they would keep. Safe for many threads.
 */
public final class SegmentRetention implements SegmentBook {
  private static final Logger LOG = LoggerFactory.getLogger(SegmentRetention.class);

  /** Name of the advisory lock of whoever compacts: "postern" and 1, as a number. */
  static final long LOCK = 0x706f737465726e01L;

  private static final String KEPT =
      """
      with finished as (select :keep * interval '1 second' as kept),
      row_of as (
        select m.id, m.segment, m.frame_offset, m.frame_length,
          case
            when m.customer_id = any(:heldCustomers) or d.held or k.held then :forever
            else greatest(d.until, k.of_mailbox,
              case when coalesce(d.readable, true) or k.of_mailbox is not null then k.of_none end)
          end as kept_until
        from message m
        left join lateral (
          select max(case when state in (0, 1, 2) then :forever
                     else due_at + (select kept from finished) end)
              filter (where mailbox_id <> all(:erased)) as until,
            bool_or(mailbox_id <> all(:erased)) as readable,
            bool_or(mailbox_id = any(:heldMailboxes)) as held
          from delivery where customer_id = m.customer_id and message_id = m.id) d on true
        left join lateral (
          select max(coalesce(keep_until, :forever)) filter (where mailbox_id is null) as of_none,
            max(coalesce(keep_until, :forever)) filter (where mailbox_id <> all(:erased))
              as of_mailbox,
            bool_or(mailbox_id = any(:heldMailboxes)) as held
          from keeper where customer_id = m.customer_id and message_id = m.id) k on true
        where m.segment = any(:segments) and m.dropped_at is null)
      select id, segment, frame_offset, frame_length, max(kept_until) as kept_until
      from row_of where kept_until > :now
      group by id, segment, frame_offset, frame_length
      order by segment, frame_offset""";

  private static final String ENTRY =
      "select id, bytes, coalesce(live_bytes, 0) live_bytes, dead_since, ends_at from segment"
          + " where dropped_at is null ";

  private static final String TOTALS =
      """
      select count(*) filter (where dropped_at is null) segments,
        coalesce(sum(bytes) filter (where dropped_at is null), 0) bytes,
        coalesce(sum(live_bytes) filter (where dropped_at is null), 0) live_bytes,
        coalesce(sum(bytes) filter (where dropped_at is not null and deleting_at is null), 0)
          grace_bytes,
        coalesce(sum(bytes) filter (where dropped_at is not null), 0) dropped_bytes
      from segment where deleted_at is null""";

  // What was kept of a segment may have moved on since: its successor is the one in use.
  private static final String DOOMED =
      """
      with recursive doomed as (
        select id, replaced_by, dropped_at from segment
        where deleting_at is not null and deleted_at is null and dropped_at is not null
          and next_look_at <= ? order by next_look_at, id limit ?),
      chain as (
        select id, replaced_by as at from doomed
        union all
        select chain.id, s.replaced_by from chain join segment s on s.id = chain.at
        where s.dropped_at is not null)
      select doomed.id, s.id as successor, s.bytes from doomed
      left join (chain join segment s on s.id = chain.at and s.dropped_at is null)
        on chain.id = doomed.id
      order by doomed.dropped_at, doomed.id""";

  // An eighth of the time that the store has had, from a minute to six hours.
  private static final String TRY_LATER =
      """
      update segment set next_look_at = u.now + greatest(interval '1 minute',
        least((u.now - deleting_at) / 8, interval '6 hours'))
      from (select cast(:now as timestamptz) as now) u
      where id = any(:ids)""";

  private final Database database;
  private final LegalHolds holds;
  private final Supplier<Set<MailboxId>> erased;
  private final Duration keepFinished;

  /**
   * @param erased asked at each question: the mailboxes whose keys were erased
   * @param keepFinished how long a message is kept after its last delivery has ended
   */
  public SegmentRetention(
      Database database, LegalHolds holds, Supplier<Set<MailboxId>> erased, Duration keepFinished) {
    this.database = database;
    this.holds = holds;
    this.erased = erased;
    this.keepFinished = keepFinished;
  }

  /** One question or change; its failures become {@link IOException}. */
  @FunctionalInterface
  private interface Work<T> {
    T with(Handle handle) throws SQLException;
  }

  private <T> T ask(Work<T> work) throws IOException {
    try {
      return database.jdbi().withHandle(work::with);
    } catch (SQLException | JdbiException e) {
      throw new IOException("the database cannot be asked about segments: " + e.getMessage(), e);
    }
  }

  /**
   * How far a clock is ahead of the database's, negative when it is behind.
   *
   * @throws IOException when the database is away
   */
  public Duration ahead(Clock clock) throws IOException {
    return ask(
        handle -> {
          Timestamp database =
              handle.createQuery("select clock_timestamp()").mapTo(Timestamp.class).one();
          return Duration.between(database.toInstant(), clock.instant());
        });
  }

  @Override
  public Optional<Turn> turn() throws IOException {
    Connection connection;
    try {
      connection = database.connection();
    } catch (SQLException e) {
      throw new IOException("the database cannot be reached: " + e.getMessage(), e);
    }
    boolean ours = false;
    try {
      ours = advisory(connection, "select pg_try_advisory_lock(?)");
      return ours ? Optional.of(() -> giveBack(connection)) : Optional.empty();
    } catch (SQLException e) {
      throw new IOException("the lock of compaction cannot be had: " + e.getMessage(), e);
    } finally {
      if (!ours) {
        close(connection);
      }
    }
  }

  private static boolean advisory(Connection connection, String sql) throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      statement.setLong(1, LOCK);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  private static void giveBack(Connection connection) {
    try {
      advisory(connection, "select pg_advisory_unlock(?)");
    } catch (SQLException e) {
      // The lock ended with its connection.
      LOG.debug("the lock of compaction was not given back", e);
    } finally {
      close(connection);
    }
  }

  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      LOG.debug("a connection does not close", e);
    }
  }

  @Override
  public List<Entry> due(Instant now, int max) throws IOException {
    return ask(
        handle ->
            handle
                .createQuery(
                    ENTRY + "and next_look_at <= :now order by next_look_at, id limit :max")
                .bind("now", Timestamp.from(now))
                .bind("max", max)
                .map((row, context) -> entry(row))
                .list());
  }

  @Override
  public List<Entry> small(long below, int max) throws IOException {
    return ask(
        handle ->
            handle
                .createQuery(ENTRY + "and bytes < :below order by recorded_at, id limit :max")
                .bind("below", below)
                .bind("max", max)
                .map((row, context) -> entry(row))
                .list());
  }

  private static Entry entry(ResultSet row) throws SQLException {
    return new Entry(
        row.getObject("id", UUID.class),
        Optional.ofNullable(row.getObject("bytes", Long.class)),
        row.getLong("live_bytes"),
        Optional.ofNullable(row.getTimestamp("dead_since")).map(Timestamp::toInstant),
        Optional.ofNullable(row.getTimestamp("ends_at")).map(Timestamp::toInstant));
  }

  @Override
  public Totals totals() throws IOException {
    return ask(
        handle ->
            handle
                .createQuery(TOTALS)
                .map(
                    (row, context) ->
                        new Totals(
                            row.getLong("segments"),
                            row.getLong("bytes"),
                            row.getLong("live_bytes"),
                            row.getLong("grace_bytes"),
                            row.getLong("dropped_bytes")))
                .one());
  }

  @Override
  public List<KeptFrame> kept(UUID segment, Instant now) throws IOException {
    return ask(handle -> kept(handle, Set.of(segment), now));
  }

  // The holds are read on a connection of their own: they must be as of now, not as of the
  // beginning of our transaction.
  private List<KeptFrame> kept(Handle handle, Set<UUID> segments, Instant now) {
    Set<UUID> heldCustomers = new HashSet<>();
    Set<UUID> heldMailboxes = new HashSet<>();
    for (LegalHold hold : holds.active()) {
      if (hold.mailbox().isPresent()) {
        heldMailboxes.add(hold.mailbox().get().value());
      } else {
        heldCustomers.add(hold.customer().value());
      }
    }
    Set<UUID> gone = new HashSet<>();
    erased.get().forEach(mailbox -> gone.add(mailbox.value()));
    Query query = handle.createQuery(KEPT);
    return query
        .bind("keep", keepFinished.toSeconds())
        .bind("forever", Timestamp.from(FOR_EVER))
        .bind("now", Timestamp.from(now))
        .bind("segments", array(segments))
        .bind("heldCustomers", array(heldCustomers))
        .bind("heldMailboxes", array(heldMailboxes))
        .bind("erased", array(gone))
        .map(
            (row, context) ->
                new KeptFrame(
                    new MessageId(row.getObject("id", UUID.class)),
                    new Place(
                        row.getObject("segment", UUID.class),
                        row.getLong("frame_offset"),
                        row.getInt("frame_length")),
                    row.getTimestamp("kept_until").toInstant()))
        .list();
  }

  private static UUID[] array(Collection<UUID> ids) {
    return ids.toArray(UUID[]::new);
  }

  @Override
  public void looked(Look look) throws IOException {
    ask(
        handle ->
            handle.execute(
                "update segment set bytes = ?, live_bytes = ?, dead_since = ?::timestamptz,"
                    + " ends_at = ?, next_look_at = ? where id = ? and dropped_at is null",
                look.bytes(),
                look.liveBytes(),
                look.deadSince().map(Timestamp::from).orElse(null),
                Timestamp.from(look.endOfLife()),
                Timestamp.from(look.nextLook()),
                look.segment()));
  }

  @Override
  public void lookLater(UUID segment, Instant nextLook) throws IOException {
    ask(
        handle ->
            handle.execute(
                "update segment set next_look_at = ? where id = ? and dropped_at is null",
                Timestamp.from(nextLook),
                segment));
  }

  @Override
  public void begin(UUID fresh, long bytes, Instant now) throws IOException {
    ask(
        handle ->
            handle.execute(
                "insert into segment (id, recorded_at, bytes, dropped_at) values (?, ?, ?, ?)",
                fresh,
                Timestamp.from(now),
                bytes,
                Timestamp.from(now)));
  }

  /** Ends a transaction without effect. */
  private static final class CameBetween extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  @Override
  public boolean replace(Replacement replacement, Instant now) throws IOException {
    try {
      ask(
          handle -> {
            handle.useTransaction(transaction -> replace(transaction, replacement, now));
            return true;
          });
      return true;
    } catch (CameBetween e) {
      return false;
    }
  }

  private void replace(Handle handle, Replacement replacement, Instant now) {
    UUID[] old = array(replacement.old());
    List<UUID> locked =
        handle
            .createQuery(
                "select id from segment where id = any(?) and dropped_at is null"
                    + " order by id for update")
            .bind(0, old)
            .mapTo(UUID.class)
            .list();
    // Nobody begins to keep one of these messages from here on: Keepers.add waits for us.
    handle
        .createQuery(
            "select id from message where segment = any(?) and dropped_at is null"
                + " order by customer_id, id for no key update")
        .bind(0, old)
        .mapTo(UUID.class)
        .list();
    if (locked.size() != old.length
        || (replacement.fresh().isPresent() && !isMade(handle, replacement.fresh().get(), now))
        || move(handle, replacement) != replacement.moves().size()) {
      throw new CameBetween();
    }
    // What is left is to go. No hold is set on it meanwhile: LegalHolds.set takes the same lock.
    handle
        .createQuery(
            "select distinct customer_id from message where segment = any(?)"
                + " and dropped_at is null order by customer_id")
        .bind(0, old)
        .mapTo(UUID.class)
        .list()
        .forEach(customer -> LegalHolds.lock(handle, new CustomerId(customer)));
    if (!kept(handle, replacement.old(), now).isEmpty()) {
      throw new CameBetween();
    }
    handle.execute(
        "update message set dropped_at = ? where segment = any(?) and dropped_at is null",
        Timestamp.from(now),
        old);
    handle.execute(
        "update segment set dropped_at = ?, replaced_by = ?::uuid, live_bytes = 0 where id = any(?)",
        Timestamp.from(now),
        replacement.fresh().map(Look::segment).orElse(null),
        old);
  }

  private static boolean isMade(Handle handle, Look fresh, Instant now) {
    return handle.execute(
            "update segment set dropped_at = null, recorded_at = ?, bytes = ?, live_bytes = ?,"
                + " ends_at = ?, next_look_at = ? where id = ? and dropped_at is not null"
                + " and deleting_at is null",
            Timestamp.from(now),
            fresh.bytes(),
            fresh.liveBytes(),
            Timestamp.from(fresh.endOfLife()),
            Timestamp.from(fresh.nextLook()),
            fresh.segment())
        == 1;
  }

  // Counts frames, not rows: a message to several customers has a row for each.
  private static int move(Handle handle, Replacement replacement) {
    if (replacement.moves().isEmpty()) {
      return 0;
    }
    List<Move> moves = replacement.moves();
    UUID fresh = replacement.fresh().orElseThrow().segment();
    return handle
        .createQuery(
            """
            with moved as (
              update message m set segment = ?, frame_offset = u.fresh
              from unnest(?::uuid[], ?::uuid[], ?::bigint[], ?::bigint[])
                as u (id, segment, old, fresh)
              where m.segment = u.segment and m.id = u.id and m.frame_offset = u.old
                and m.dropped_at is null
              returning m.id)
            select count(distinct id) from moved""")
        .bind(0, fresh)
        .bind(1, moves.stream().map(move -> move.id().value()).toArray(UUID[]::new))
        .bind(2, moves.stream().map(move -> move.from().segment()).toArray(UUID[]::new))
        .bind(3, moves.stream().map(move -> move.from().offset()).toArray(Long[]::new))
        .bind(4, moves.stream().map(Move::offset).toArray(Long[]::new))
        .mapTo(Integer.class)
        .one();
  }

  @Override
  public Fate fate(UUID segment) throws IOException {
    return ask(
        handle ->
            handle
                .createQuery(
                    "select deleted_at from segment where id = ? and dropped_at is not null")
                .bind(0, segment)
                .map((row, context) -> row.getObject(1) == null ? Fate.LEFT_ALONE : Fate.REMOVED)
                .findOne()
                .orElse(Fate.KEPT));
  }

  @Override
  public boolean isRipe(Instant droppedBefore) throws IOException {
    return ask(
        handle ->
            handle
                .createQuery(
                    "select exists (select from segment where dropped_at <= ?"
                        + " and deleting_at is null and deleted_at is null)")
                .bind(0, Timestamp.from(droppedBefore))
                .mapTo(Boolean.class)
                .one());
  }

  @Override
  public Set<UUID> inUse() throws IOException {
    return ask(
        handle -> new HashSet<>(handle.createQuery(SegmentTable.IN_USE).mapTo(UUID.class).list()));
  }

  @Override
  public List<Doomed> doom(Instant droppedBefore, Instant now, int max) throws IOException {
    return ask(
        handle -> {
          // The last condition never fails; if it did, this is where mail would be lost.
          handle.execute(
              "update segment s set deleting_at = ?, next_look_at = ?"
                  + " where dropped_at <= ? and deleting_at is null and not exists"
                  + " (select from message m where m.segment = s.id and m.dropped_at is null)",
              Timestamp.from(now),
              Timestamp.from(now),
              Timestamp.from(droppedBefore));
          List<Doomed> doomed =
              handle
                  .createQuery(DOOMED)
                  .bind(0, Timestamp.from(now))
                  .bind(1, max)
                  .map((row, context) -> doomed(row))
                  .list();
          handle
              .createUpdate(TRY_LATER)
              .bind("now", Timestamp.from(now))
              .bind("ids", array(doomed.stream().map(Doomed::segment).toList()))
              .execute();
          return doomed;
        });
  }

  private static Doomed doomed(ResultSet row) throws SQLException {
    UUID successor = row.getObject("successor", UUID.class);
    long bytes = row.getLong("bytes");
    return new Doomed(
        row.getObject("id", UUID.class),
        Optional.ofNullable(successor).map(id -> new Successor(id, bytes)));
  }

  @Override
  public void deleted(Collection<UUID> segments, Instant now) throws IOException {
    ask(
        handle ->
            handle.execute(
                "update segment set deleted_at = ? where id = any(?) and deleting_at is not null",
                Timestamp.from(now),
                array(segments)));
  }

  @Override
  public Set<UUID> strays(Collection<UUID> candidates) throws IOException {
    return ask(
        handle ->
            new HashSet<>(
                handle
                    .createQuery(
                        "select id from segment where id = any(?) and deleted_at is not null")
                    .bind(0, array(candidates))
                    .mapTo(UUID.class)
                    .list()));
  }

  /**
   * Which of these messages are in no store any more. Every segment that ever had one of them was
   * dropped when the message was, or before: when all that were dropped until then are deleted from
   * every store, nothing of it is left.
   */
  public Set<MessageId> gone(Set<MessageId> candidates) throws IOException {
    return ask(
        handle ->
            new HashSet<>(
                handle
                    .createQuery(
                        "select id from message where id = any(?) group by id"
                            + " having bool_and(dropped_at is not null) and max(dropped_at) <"
                            + " coalesce((select min(dropped_at) from segment"
                            + " where dropped_at is not null and deleted_at is null), 'infinity')")
                    .bind(0, array(candidates.stream().map(MessageId::value).toList()))
                    .map((row, context) -> new MessageId(row.getObject(1, UUID.class)))
                    .list()));
  }
}
