package net.postern.source;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads what changed in one table since it was last asked, and misses nothing.
 *
 * <p>Transactions become visible in another order than they began in, so neither a time nor a
 * number in a row says whether it was seen before. PostgreSQL's snapshots do: a snapshot tells of
 * every transaction whether its rows could be seen. Each row has the number of the transaction that
 * changed it last; a snapshot is taken before a pass over the table, and the next pass asks for the
 * rows of all transactions that this snapshot did not show. Some rows are read twice, none is left
 * out. (Numbers are of 64 bits, which do not wrap around.)
 *
 * <p>A pass reads pages, in the order of transaction and key, and is continued by the next turn
 * when there are too many. One thread.
 *
 * @param <R> a row
 */
final class Follower<R> {
  /** A snapshot in which nothing could be seen. */
  private static final String NOTHING = "3:3:";

  /** Pages that are read in one turn at most. */
  private static final int MAX_PAGES = 20;

  /**
   * What a page is to have.
   *
   * @param unseen rows that this snapshot does not show
   * @param since and that changed after this moment, by the database's clock
   * @param after and that come after this row
   */
  record Question(String unseen, Instant since, Place after) {}

  /** Where a row stands in the order of a pass. */
  record Place(long transaction, String key, long part) {
    static final Place START = new Place(0, "", Long.MIN_VALUE);
  }

  /** Asks for a page of at most {@link SourceTable#PAGE} rows. */
  @FunctionalInterface
  interface Pages<R> {
    List<R> ask(Question question) throws SQLException;
  }

  private final SourceTable table;
  private final Pages<R> pages;
  private final java.util.function.Function<R, Place> place;
  private final Consumer<R> learn;
  private String seen = NOTHING;
  private String begun = "";
  private Instant since = Instant.EPOCH;
  private Place last = Place.START;

  Follower(
      SourceTable table,
      Pages<R> pages,
      java.util.function.Function<R, Place> place,
      Consumer<R> learn) {
    this.table = table;
    this.pages = pages;
    this.place = place;
    this.learn = learn;
  }

  /** Begins anew with what changed after a moment of the database's clock. */
  void restart(Instant from) {
    seen = NOTHING;
    begun = "";
    since = from;
  }

  /** Learns what is new. */
  void read() throws SQLException {
    if (begun.isEmpty()) {
      begun = table.snapshot();
      last = Place.START;
    }
    for (int page = 0; page < MAX_PAGES; page++) {
      List<R> rows = pages.ask(new Question(seen, since, last));
      rows.forEach(learn);
      if (rows.size() < SourceTable.PAGE) {
        seen = begun;
        begun = "";
        // Only the first pass leaves out what is old: a row may show itself late.
        since = Instant.EPOCH;
        return;
      }
      last = place.apply(rows.getLast());
    }
  }
}
