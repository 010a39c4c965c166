package net.postern.source;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import net.postern.db.Database;

/**
 * The tables of this package. Sums are added to, never set, so that nodes cannot overwrite each
 * other; every row says which transaction changed it last, so that the others find what is new
 * ({@link Follower}), and when, by the database's clock, so that it is removed in time.
 */
final class SourceTable {
  /** Rows of one answer. */
  static final int PAGE = 20_000;

  private static final String ADD_WINDOWS =
      """
      insert into recipient_window as w (subject, slot, known, unknown, members, known_members,
                                         changed_at)
      select subject, slot, known, unknown, members::int[], known_members::int[],
             clock_timestamp()
        from unnest(?::text[], ?::bigint[], ?::int[], ?::int[], ?::text[], ?::text[])
          as d (subject, slot, known, unknown, members, known_members)
       order by subject, slot
      on conflict (subject, slot) do update set
        known = w.known + excluded.known,
        unknown = w.unknown + excluded.unknown,
        members = (select coalesce(array_agg(m), '{}')
                     from (select distinct unnest(w.members || excluded.members) as m
                            limit 1024) as each),
        known_members = (select coalesce(array_agg(m), '{}')
                           from (select distinct
                                        unnest(w.known_members || excluded.known_members) as m
                                  limit 64) as each),
        changed_at = clock_timestamp(),
        changed_by = pg_current_xact_id()
      returning subject, slot, known, unknown, members, known_members,
                w.changed_by::text::bigint
      """;

  private static final String ADD_STANDINGS =
      """
      insert into standing as s (subject, good, bad, passed_at, changed_at)
      select subject, good, bad, passed_at, clock_timestamp()
        from unnest(?::text[], ?::float8[], ?::float8[], ?::bigint[])
          as d (subject, good, bad, passed_at)
       order by subject
      on conflict (subject) do update set
        good = s.good + excluded.good,
        bad = s.bad + excluded.bad,
        passed_at = greatest(s.passed_at, excluded.passed_at),
        changed_at = clock_timestamp(),
        changed_by = pg_current_xact_id()
      returning subject, good, bad, passed_at, s.changed_by::text::bigint
      """;

  // One that stands is left alone: two nodes that block at the same moment block once.
  private static final String ADD_BLOCKS =
      """
      insert into source_block as b (source, kind, why, offence, since, until, changed_at)
      select source, kind, why, offence, since, until, clock_timestamp()
        from unnest(?::text[], ?::text[], ?::text[], ?::int[], ?::timestamptz[], ?::timestamptz[])
          as d (source, kind, why, offence, since, until)
       order by source
      on conflict (source, flood) do update set
        kind = excluded.kind, why = excluded.why, offence = excluded.offence,
        since = excluded.since, until = excluded.until, changed_at = clock_timestamp(),
        changed_by = pg_current_xact_id()
       where b.until <= excluded.since
      """;

  private static final String WINDOWS =
      "select subject, slot, known, unknown, members, known_members, changed_by::text::bigint"
          + " from recipient_window";
  private static final String STANDINGS =
      "select subject, good, bad, passed_at, changed_by::text::bigint from standing";
  private static final String BLOCKS =
      "select source, kind, why, offence, since, until, flood, changed_by::text::bigint"
          + " from source_block";

  private static final String BY_SLOT = changed("subject, slot", "?, ?");
  private static final String BY_SUBJECT = changed("subject", "?");
  private static final String BY_SOURCE = changed("source, flood", "?, ? > 0");
  private static final String OF_SUBJECTS = " where subject = any(?)";

  // The third line is for a database that was filled from a dump: its rows name transactions of
  // another one, which are still to come in this one.
  private static String changed(String key, String parameters) {
    return " "
        + """
         where changed_by >= pg_snapshot_xmin(?::pg_snapshot)
           and not pg_visible_in_snapshot(changed_by, ?::pg_snapshot)
           and changed_by < pg_snapshot_xmax(pg_current_snapshot())
           and changed_at > ?
           and (changed_by, %s) > (?::xid8, %s)
         order by changed_by, %s
         limit %d"""
            .formatted(key, parameters, key, PAGE);
  }

  private final Database database;

  SourceTable(Database database) {
    this.database = database;
  }

  record WindowRow(
      Subject subject,
      long slot,
      int known,
      int unknown,
      Distinct members,
      Distinct knownMembers,
      long changedBy) {
    Follower.Place place() {
      return new Follower.Place(changedBy, subject.text(), slot);
    }
  }

  record StandingRow(Subject subject, double good, double bad, long passedAt, long changedBy) {
    Follower.Place place() {
      return new Follower.Place(changedBy, subject.text(), 0);
    }
  }

  record BlockRow(Block block, long changedBy) {
    Follower.Place place() {
      return new Follower.Place(
          changedBy, block.source().text(), block.kind() == Block.Kind.FLOOD ? 1 : 0);
    }
  }

  record SlotDelta(Subject subject, Window.Delta delta) {}

  /** The database's clock. */
  Instant now() throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement("select clock_timestamp()");
        ResultSet row = query.executeQuery()) {
      if (!row.next()) {
        throw new SQLException("no clock");
      }
      return row.getObject(1, OffsetDateTime.class).toInstant();
    }
  }

  /** Which transactions can be seen now, in PostgreSQL's own form. */
  String snapshot() throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query =
            connection.prepareStatement("select pg_current_snapshot()::text");
        ResultSet row = query.executeQuery()) {
      if (!row.next()) {
        throw new SQLException("no snapshot");
      }
      return row.getString(1);
    }
  }

  /** Adds counts; the sums of all nodes come back. */
  List<WindowRow> addWindows(List<SlotDelta> deltas) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement add = connection.prepareStatement(ADD_WINDOWS)) {
      texts(connection, add, 1, deltas.stream().map(each -> each.subject().text()).toList());
      add.setArray(2, array(connection, "int8", deltas.stream().map(d -> d.delta().slot())));
      add.setArray(3, array(connection, "int4", deltas.stream().map(d -> d.delta().known())));
      add.setArray(4, array(connection, "int4", deltas.stream().map(d -> d.delta().unknown())));
      texts(connection, add, 5, deltas.stream().map(each -> each.delta().members()).toList());
      texts(connection, add, 6, deltas.stream().map(each -> each.delta().knownMembers()).toList());
      return windows(add);
    }
  }

  /** Adds acts; the sums of all nodes come back. */
  List<StandingRow> addStandings(List<Entry.StandingDelta> deltas) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement add = connection.prepareStatement(ADD_STANDINGS)) {
      texts(connection, add, 1, deltas.stream().map(each -> each.subject().text()).toList());
      add.setArray(2, array(connection, "float8", deltas.stream().map(d -> d.good())));
      add.setArray(3, array(connection, "float8", deltas.stream().map(d -> d.bad())));
      add.setArray(4, array(connection, "int8", deltas.stream().map(d -> d.passedAt())));
      return standings(add);
    }
  }

  /** Enters blocks, except of sources that are blocked already; what stands then comes back. */
  List<BlockRow> addBlocks(Collection<Block> blocks) throws SQLException {
    try (Connection connection = database.connection()) {
      try (PreparedStatement add = connection.prepareStatement(ADD_BLOCKS)) {
        texts(connection, add, 1, blocks.stream().map(each -> each.source().text()).toList());
        texts(connection, add, 2, blocks.stream().map(each -> each.kind().name()).toList());
        texts(connection, add, 3, blocks.stream().map(Block::why).toList());
        add.setArray(4, array(connection, "int4", blocks.stream().map(Block::offence)));
        texts(connection, add, 5, blocks.stream().map(each -> each.since().toString()).toList());
        texts(connection, add, 6, blocks.stream().map(each -> each.until().toString()).toList());
        add.executeUpdate();
      }
      try (PreparedStatement query =
          connection.prepareStatement(BLOCKS + " where source = any(?)")) {
        texts(connection, query, 1, blocks.stream().map(each -> each.source().text()).toList());
        return blocks(query);
      }
    }
  }

  List<WindowRow> windows(Follower.Question question) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(WINDOWS + BY_SLOT)) {
      int next = ask(query, question);
      query.setLong(next, question.after().part());
      return windows(query);
    }
  }

  List<BlockRow> blocks(Follower.Question question) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(BLOCKS + BY_SOURCE)) {
      int next = ask(query, question);
      query.setLong(next, question.after().part());
      return blocks(query);
    }
  }

  List<StandingRow> standings(Follower.Question question) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(STANDINGS + BY_SUBJECT)) {
      ask(query, question);
      return standings(query);
    }
  }

  // Returns the number of the parameter that comes next.
  private static int ask(PreparedStatement query, Follower.Question question) throws SQLException {
    query.setString(1, question.unseen());
    query.setString(2, question.unseen());
    query.setObject(3, time(question.since()));
    query.setString(4, Long.toString(question.after().transaction()));
    query.setString(5, question.after().key());
    return 6;
  }

  List<WindowRow> windowsOf(Collection<Subject> subjects) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(WINDOWS + OF_SUBJECTS)) {
      texts(connection, query, 1, subjects.stream().map(Subject::text).toList());
      return windows(query);
    }
  }

  List<StandingRow> standingsOf(Collection<Subject> subjects) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(STANDINGS + OF_SUBJECTS)) {
      texts(connection, query, 1, subjects.stream().map(Subject::text).toList());
      return standings(query);
    }
  }

  /** Blocks that stand or are remembered, those that end last first. */
  List<BlockRow> remembered(Instant now, int most) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query =
            connection.prepareStatement(BLOCKS + " where until > ? order by until desc limit ?")) {
      query.setObject(1, time(now.minus(Block.MEMORY)));
      query.setInt(2, most);
      return blocks(query);
    }
  }

  /** One source's blocks, also those that have ended: for a flood last. */
  List<Block> blocksOf(Source source) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query =
            connection.prepareStatement(BLOCKS + " where source = ? order by flood")) {
      query.setString(1, source.text());
      return blocks(query).stream().map(BlockRow::block).toList();
    }
  }

  /** Blocks whatever stands: a person's word counts more. */
  void put(Block block) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement put =
            connection.prepareStatement(
                ADD_BLOCKS.substring(0, ADD_BLOCKS.indexOf(" where b.until")))) {
      texts(connection, put, 1, List.of(block.source().text()));
      texts(connection, put, 2, List.of(block.kind().name()));
      texts(connection, put, 3, List.of(block.why()));
      put.setArray(4, connection.createArrayOf("int4", new Object[] {block.offence()}));
      texts(connection, put, 5, List.of(block.since().toString()));
      texts(connection, put, 6, List.of(block.until().toString()));
      put.executeUpdate();
    }
  }

  /** Forgets what a source was counted for, so that its next mistake is its first. */
  void forgetWindow(Source source) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement delete =
            connection.prepareStatement("delete from recipient_window where subject = ?")) {
      delete.setString(1, source.text());
      delete.executeUpdate();
    }
  }

  /** What is removed in time, of which table, and which rows go first. */
  enum Old {
    /** Counts that are over. */
    WINDOWS("recipient_window", "changed_at < ?", "changed_at"),
    /** Names of which nothing is known but that they once waited for our greeting. */
    PASSES("standing", "good = 0 and bad = 0 and changed_at < ?", "changed_at"),
    /** Names that say next to nothing any more. */
    STANDINGS("standing", "changed_at < ?", "changed_at"),
    /** Blocks that nobody remembers. */
    BLOCKS("source_block", "until < ?", "until");

    private final String table;
    private final String condition;
    private final String order;

    Old(String table, String condition, String order) {
      this.table = table;
      this.condition = condition;
      this.order = order;
    }
  }

  /**
   * Removes some of what is older, the oldest first.
   *
   * @param before by the database's clock; of blocks by the nodes'
   * @param most rows
   * @return how many rows
   */
  int remove(Old what, Instant before, int most) throws SQLException {
    // Rows that another node works on are left for later: nobody waits for anybody.
    try (Connection connection = database.connection();
        PreparedStatement delete =
            connection.prepareStatement(
                """
                delete from %1$s where ctid = any(array(
                  select ctid from %1$s where %2$s order by %3$s limit ? for update skip locked))"""
                    .formatted(what.table, what.condition, what.order))) {
      delete.setObject(1, time(before));
      delete.setInt(2, most);
      return delete.executeUpdate();
    }
  }

  /** Rows of a table. */
  long count(Old what) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query =
            connection.prepareStatement("select count(*) from " + what.table);
        ResultSet row = query.executeQuery()) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  private static List<WindowRow> windows(PreparedStatement query) throws SQLException {
    List<WindowRow> found = new ArrayList<>();
    try (ResultSet row = query.executeQuery()) {
      while (row.next()) {
        Optional<Subject> subject = Subject.parse(row.getString(1));
        if (subject.isPresent()) {
          found.add(
              new WindowRow(
                  subject.get(),
                  row.getLong(2),
                  row.getInt(3),
                  row.getInt(4),
                  Distinct.of((Integer[]) row.getArray(5).getArray()),
                  Distinct.of((Integer[]) row.getArray(6).getArray()),
                  row.getLong(7)));
        }
      }
    }
    return found;
  }

  private static List<StandingRow> standings(PreparedStatement query) throws SQLException {
    List<StandingRow> found = new ArrayList<>();
    try (ResultSet row = query.executeQuery()) {
      while (row.next()) {
        Optional<Subject> subject = Subject.parse(row.getString(1));
        if (subject.isPresent()) {
          found.add(
              new StandingRow(
                  subject.get(),
                  row.getDouble(2),
                  row.getDouble(3),
                  row.getLong(4),
                  row.getLong(5)));
        }
      }
    }
    return found;
  }

  private static List<BlockRow> blocks(PreparedStatement query) throws SQLException {
    List<BlockRow> found = new ArrayList<>();
    try (ResultSet row = query.executeQuery()) {
      while (row.next()) {
        Optional<Source> source = Source.parse(row.getString(1));
        if (source.isPresent()) {
          found.add(
              new BlockRow(
                  new Block(
                      source.get(),
                      Block.Kind.valueOf(row.getString(2)),
                      row.getString(3),
                      row.getInt(4),
                      instant(row, 5),
                      instant(row, 6)),
                  row.getLong(8)));
        }
      }
    }
    return found;
  }

  private static Instant instant(ResultSet row, int column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  private static OffsetDateTime time(Instant at) {
    return at.atOffset(ZoneOffset.UTC);
  }

  private static void texts(
      Connection connection, PreparedStatement statement, int index, List<String> texts)
      throws SQLException {
    statement.setArray(index, connection.createArrayOf("text", texts.toArray()));
  }

  private static Array array(
      Connection connection, String type, java.util.stream.Stream<? extends Object> values)
      throws SQLException {
    return connection.createArrayOf(type, values.toArray());
  }
}
