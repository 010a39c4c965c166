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
 * other; every row says when it was last changed, by the database's clock, so that the others find
 * what is new.
 */
final class SourceTable {
  /** Rows of one answer. */
  static final int PAGE = 20_000;

  private static final String ADD_WINDOWS =
      """
      insert into recipient_window as w (subject, slot, known, unknown, members, changed_at)
      select subject, slot, known, unknown, members::int[], clock_timestamp()
        from unnest(?::text[], ?::bigint[], ?::int[], ?::int[], ?::text[])
          as d (subject, slot, known, unknown, members)
       order by subject, slot
      on conflict (subject, slot) do update set
        known = w.known + excluded.known,
        unknown = w.unknown + excluded.unknown,
        members = (select coalesce(array_agg(m), '{}')
                     from (select distinct unnest(w.members || excluded.members) as m
                            limit 64) as each),
        changed_at = clock_timestamp()
      returning subject, slot, known, unknown, members, changed_at
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
        changed_at = clock_timestamp()
      returning subject, good, bad, passed_at, changed_at
      """;

  // One that stands is left alone: two nodes that block at the same moment block once.
  private static final String ADD_BLOCKS =
      """
      insert into source_block as b (source, kind, why, offence, since, until, changed_at)
      select source, kind, why, offence, since, until, clock_timestamp()
        from unnest(?::text[], ?::text[], ?::text[], ?::int[], ?::timestamptz[], ?::timestamptz[])
          as d (source, kind, why, offence, since, until)
       order by source
      on conflict (source) do update set
        kind = excluded.kind, why = excluded.why, offence = excluded.offence,
        since = excluded.since, until = excluded.until, changed_at = clock_timestamp()
       where b.until <= excluded.since
      """;

  private static final String WINDOWS =
      "select subject, slot, known, unknown, members, changed_at from recipient_window";
  private static final String STANDINGS =
      "select subject, good, bad, passed_at, changed_at from standing";
  private static final String BLOCKS =
      "select source, kind, why, offence, since, until, changed_at from source_block";
  private static final String SINCE = " where changed_at > ? order by changed_at limit " + PAGE;
  private static final String OF_SUBJECTS = " where subject = any(?)";

  private final Database database;

  SourceTable(Database database) {
    this.database = database;
  }

  record WindowRow(
      Subject subject, long slot, int known, int unknown, Distinct members, Instant changed) {}

  record StandingRow(Subject subject, double good, double bad, long passedAt, Instant changed) {}

  record BlockRow(Block block, Instant changed) {}

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

  /** Adds counts; the sums of all nodes come back. */
  List<WindowRow> addWindows(List<SlotDelta> deltas) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement add = connection.prepareStatement(ADD_WINDOWS)) {
      texts(connection, add, 1, deltas.stream().map(each -> each.subject().text()).toList());
      add.setArray(2, array(connection, "int8", deltas.stream().map(d -> d.delta().slot())));
      add.setArray(3, array(connection, "int4", deltas.stream().map(d -> d.delta().known())));
      add.setArray(4, array(connection, "int4", deltas.stream().map(d -> d.delta().unknown())));
      texts(connection, add, 5, deltas.stream().map(each -> each.delta().members()).toList());
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

  List<WindowRow> windowsSince(Instant changed) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(WINDOWS + SINCE)) {
      query.setObject(1, time(changed));
      return windows(query);
    }
  }

  List<BlockRow> blocksSince(Instant changed) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(BLOCKS + SINCE)) {
      query.setObject(1, time(changed));
      return blocks(query);
    }
  }

  List<StandingRow> standingsSince(Instant changed) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(STANDINGS + SINCE)) {
      query.setObject(1, time(changed));
      return standings(query);
    }
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

  /** One source's block, also one that has ended. */
  Optional<Block> block(Source source) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement query = connection.prepareStatement(BLOCKS + " where source = ?")) {
      query.setString(1, source.text());
      return blocks(query).stream().map(BlockRow::block).findFirst();
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

  /** Removes what nobody needs any longer. */
  void clean(Instant now) throws SQLException {
    try (Connection connection = database.connection()) {
      // A window is a day long at most, and standings of 90 quiet days have next to no weight.
      execute(
          connection, "delete from recipient_window where changed_at < now() - interval '2 days'");
      execute(connection, "delete from standing where changed_at < now() - interval '90 days'");
      try (PreparedStatement delete =
          connection.prepareStatement("delete from source_block where until < ?")) {
        delete.setObject(1, time(now.minus(Block.MEMORY)));
        delete.executeUpdate();
      }
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.executeUpdate();
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
                  instant(row, 6)));
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
                  instant(row, 5)));
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
                  instant(row, 7)));
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
