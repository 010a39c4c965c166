package net.postern.tenant;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.blob.Parcel;
import net.postern.db.Database;
import net.postern.keys.KeyShelf;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;

/**
 * Key records in the database. Of two writers of one generation the first wins, whoever comes
 * second gets the first one's record.
 */
public final class DatabaseKeyShelf implements KeyShelf {
  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** Records fetched at a time when all are read. */
  private static final int FETCH = 1_000;

  private final Database database;
  private volatile long awayUntil = System.nanoTime();

  public DatabaseKeyShelf(Database database) {
    this.database = database;
  }

  @Override
  public Optional<Parcel> get(UUID id) throws IOException {
    if (System.nanoTime() - awayUntil < 0) {
      throw new IOException("the database is away");
    }
    try {
      return database.jdbi().withHandle(handle -> get(handle, id));
    } catch (JdbiException e) {
      awayUntil = System.nanoTime() + RETRY_NANOS;
      throw away(e);
    }
  }

  @Override
  public Parcel raise(UUID id, Parcel parcel) throws IOException {
    try {
      return database.jdbi().inTransaction(handle -> raise(handle, id, parcel));
    } catch (JdbiException e) {
      throw away(e);
    }
  }

  private static Parcel raise(Handle handle, UUID id, Parcel parcel) {
    handle.execute(
        "insert into wrapped_key (id, generation, record) values (?, ?, ?)"
            + " on conflict (id) do update set generation = excluded.generation,"
            + " record = excluded.record, unsettled = true, changed_at = now()"
            + " where wrapped_key.generation < excluded.generation",
        id,
        parcel.generation(),
        parcel.content());
    return get(handle, id).orElse(parcel);
  }

  /**
   * Keeps a tombstone as a part of a transaction, in the place of whatever is there but another
   * one: what erases a key has read it, and a row that a generation protects could only be a
   * forgery.
   */
  static void erase(Handle handle, UUID id, Parcel tombstone) {
    handle.execute(
        "insert into wrapped_key (id, generation, record) values (?, ?, ?)"
            + " on conflict (id) do update set generation = excluded.generation,"
            + " record = excluded.record, unsettled = true, changed_at = now()"
            + " where wrapped_key.generation <> excluded.generation",
        id,
        tombstone.generation(),
        tombstone.content());
  }

  @Override
  public Parcel replace(UUID id, Parcel before, Parcel parcel) throws IOException {
    try {
      return database
          .jdbi()
          .inTransaction(
              handle -> {
                handle.execute(
                    "update wrapped_key set generation = ?, record = ?, unsettled = true,"
                        + " changed_at = now() where id = ? and generation = ? and record = ?",
                    parcel.generation(),
                    parcel.content(),
                    id,
                    before.generation(),
                    before.content());
                return get(handle, id).orElse(parcel);
              });
    } catch (JdbiException e) {
      throw away(e);
    }
  }

  @Override
  public void written(UUID id, long generation, boolean everywhere) throws IOException {
    try {
      database
          .jdbi()
          .useHandle(
              handle ->
                  handle.execute(
                      "update wrapped_key set unsettled = generation > ?"
                          + " where id = ? and (generation > ? and not unsettled"
                          + " or generation = ? and unsettled and ?)",
                      generation,
                      id,
                      generation,
                      generation,
                      everywhere));
    } catch (JdbiException e) {
      throw away(e);
    }
  }

  @Override
  public List<UUID> unsettled(int max) throws IOException {
    return ids("select id from wrapped_key where unsettled order by changed_at limit ?", max);
  }

  @Override
  public List<UUID> erasedWithin(Duration time) throws IOException {
    return ids(
        "select id from wrapped_key where generation >= 4611686018427387904"
            + " and changed_at > now() - ? * interval '1 second'",
        time.toSeconds());
  }

  @Override
  public void each(Visitor visitor) throws IOException {
    try {
      database
          .jdbi()
          .useTransaction(
              handle ->
                  handle
                      .createQuery("select id, generation, record from wrapped_key")
                      .setFetchSize(FETCH)
                      .map(
                          (row, context) ->
                              new Row(
                                  row.getObject("id", UUID.class),
                                  new Parcel(row.getLong("generation"), row.getBytes("record"))))
                      .forEach(
                          row -> {
                            try {
                              visitor.key(row.id(), row.parcel());
                            } catch (IOException e) {
                              throw new java.io.UncheckedIOException(e);
                            }
                          }));
    } catch (java.io.UncheckedIOException e) {
      throw e.getCause();
    } catch (JdbiException e) {
      throw away(e);
    }
  }

  private record Row(UUID id, Parcel parcel) {}

  private static Optional<Parcel> get(Handle handle, UUID id) {
    return handle
        .select("select generation, record from wrapped_key where id = ?", id)
        .map((row, context) -> new Parcel(row.getLong("generation"), row.getBytes("record")))
        .findOne();
  }

  private List<UUID> ids(String sql, Object argument) throws IOException {
    try {
      return database.rows(sql, row -> row.getObject("id", UUID.class), argument);
    } catch (JdbiException e) {
      throw away(e);
    }
  }

  private static IOException away(JdbiException e) {
    return new IOException("the database cannot be asked for keys: " + e.getMessage(), e);
  }
}
