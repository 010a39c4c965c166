package net.postern.submission;

import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import net.postern.db.Database;

/**
 * The rows of a table that changed since they were last asked for, by a column {@code changed_at}
 * of the database's clock.
 *
 * <p>They are read in pages, each of which goes on behind the last row of the one before it, so
 * that any number of rows may have changed at one moment. A pass goes as far as the clock showed at
 * its beginning, and the next begins some seconds before that: a change is dated by its statement
 * and seen when its transaction ends. So rows may be told twice. One thread at a time.
 *
 * @param <T> what is made of a row
 */
final class Changes<T> {
  static final int PAGE = 10_000;

  /** Longest time from a statement that changes rows to the end of its transaction. */
  private static final Duration OVERLAP = Duration.ofSeconds(10);

  /** How far the first pass reaches back; what changed before is read when it is asked for. */
  private static final Duration FIRST = Duration.ofMinutes(1);

  private record Row<T>(T value, Instant changed, String key) {}

  private final String query;
  private final Database.RowReader<T> reader;
  private final int page;
  private Optional<Instant> since = Optional.empty();

  /**
   * @param columns of a row, beginning with number 3 for the reader
   * @param key expression of type text that is unique in the table
   * @param page rows that are read at one time, at least 1
   */
  Changes(String columns, String table, String key, Database.RowReader<T> reader, int page) {
    this.query =
        "select changed_at, %1$s, %2$s from %3$s where (changed_at, %1$s) > (?, ?) and changed_at <= ? order by changed_at, %1$s limit ?"
            .formatted("(" + key + ") collate \"C\"", columns, table);
    this.reader = reader;
    this.page = page;
  }

  void read(Database database, Consumer<T> each) {
    Instant begun =
        database
            .row("select clock_timestamp() as begun", row -> row.getTimestamp(1).toInstant())
            .orElseThrow();
    Instant from = since.orElse(begun.minus(FIRST));
    String key = "";
    List<Row<T>> rows;
    do {
      rows =
          database.rows(
              query,
              row -> new Row<>(reader.read(row), row.getTimestamp(1).toInstant(), row.getString(2)),
              Timestamp.from(from),
              key,
              Timestamp.from(begun),
              page);
      for (Row<T> row : rows) {
        each.accept(row.value());
        from = row.changed();
        key = row.key();
      }
    } while (rows.size() == page);
    since = Optional.of(begun.minus(OVERLAP));
  }
}
