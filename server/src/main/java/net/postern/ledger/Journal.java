package net.postern.ledger;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;

/**
 * Brings what became of deliveries to the stores, so that a ledger which is made again from a store
 * knows what was delivered. Entries are gathered by a trigger in the database, in the transaction
 * that changed the delivery; {@link #flush} takes them from there. Whoever runs it, several nodes
 * may at once.
 *
 * <p>Entries are idempotent: a crash between the parcel and the commit writes them a second time.
 */
public final class Journal {
  /** Most entries in one parcel: 64 bytes each and a rule now and then. */
  private static final int BATCH = 20_000;

  /** Ends one call, so that a flood does not keep a caller for ever. */
  private static final int MAX_BATCHES = 100;

  private static final String TAKE =
      """
      delete from journal_outbox where id in (
        select id from journal_outbox order by id limit ? for update skip locked)
      returning id, customer_id, message_id, number, state, since, give_up_at, attempts, rule\
      """;

  private final Database database;
  private final Replicas stores;
  private final JournalCodec codec;
  private volatile long writtenNanos = System.nanoTime();

  public Journal(Database database, Replicas stores, KeyRing keys) {
    this.database = database;
    this.stores = stores;
    this.codec = new JournalCodec(keys);
  }

  /**
   * Writes everything that waits to the stores.
   *
   * @return how many entries
   * @throws IOException when the database is away or too few stores took them; they go on waiting
   */
  public int flush() throws IOException {
    int written = 0;
    for (int i = 0; i < MAX_BATCHES; i++) {
      int batch = batch();
      written += batch;
      if (batch < BATCH) {
        break;
      }
    }
    writtenNanos = System.nanoTime();
    return written;
  }

  /** Seconds since everything that waited was last written. */
  public long lagSeconds() {
    return (System.nanoTime() - writtenNanos) / 1_000_000_000L;
  }

  private int batch() throws IOException {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try {
        List<JournalEntry> entries = take(connection);
        if (!entries.isEmpty()) {
          put(stores, codec, entries);
        }
        // Only now: what no store has must stay.
        connection.commit();
        return entries.size();
      } catch (IOException | SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    } catch (SQLException e) {
      throw new IOException("the journal cannot be taken from the database: " + e.getMessage(), e);
    }
  }

  private static List<JournalEntry> take(Connection connection) throws SQLException {
    List<JournalEntry> entries = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(TAKE)) {
      statement.setInt(1, BATCH);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          entries.add(entry(row));
        }
      }
    }
    return entries;
  }

  /** An entry from a row with the columns of table {@code journal_outbox}. */
  static JournalEntry entry(ResultSet row) throws SQLException {
    return new JournalEntry(
        row.getLong("id"),
        new DeliveryKey(
            new CustomerId(row.getObject("customer_id", UUID.class)),
            new MessageId(row.getObject("message_id", UUID.class)),
            row.getInt("number")),
        // One that is tried at once after its release: no node has it after a rebuild.
        row.getInt("state") == DeliveryState.IN_PROGRESS.code()
            ? DeliveryState.WAITING
            : DeliveryState.of(row.getInt("state")),
        row.getTimestamp("since").toInstant(),
        row.getTimestamp("give_up_at").toInstant(),
        row.getInt("attempts"),
        row.getString("rule"));
  }

  private static void put(Replicas stores, JournalCodec codec, List<JournalEntry> entries)
      throws IOException {
    String object = newObject();
    stores.put(object, new Parcel(1, codec.encode(object, entries)));
  }

  /** A name for a new object of the journal. */
  static String newObject() {
    return JournalCodec.KIND + "/" + UUID.randomUUID();
  }

  /** Gets the entries of one object of the journal. */
  @FunctionalInterface
  public interface Reader {
    void entries(List<JournalEntry> entries) throws IOException;
  }

  /**
   * What reading a store's journal came to.
   *
   * @param damaged objects that could not be read; what they said is not known
   */
  public record Read(int objects, long entries, List<Damaged> damaged) {}

  /** An object of the journal that could not be read, and why. */
  public record Damaged(String object, String why) {}

  /**
   * Reads a store's whole journal, an object at a time, in no order.
   *
   * @throws IOException when the store cannot be listed, or the reader fails
   */
  public static Read read(ObjectStore store, KeyRing keys, Reader reader) throws IOException {
    return read(store, keys, new HashSet<>(), reader);
  }

  /**
   * The same, without the objects that were read from another store: one that is whole says the
   * same everywhere.
   *
   * @param done objects to pass over; those that are read now are added
   */
  public static Read read(ObjectStore store, KeyRing keys, Set<String> done, Reader reader)
      throws IOException {
    JournalCodec codec = new JournalCodec(keys);
    List<String> objects = new ArrayList<>();
    store.list(
        JournalCodec.KIND,
        each -> {
          if (!done.contains(each.object())) {
            objects.add(each.object());
          }
        });
    List<Damaged> damaged = new ArrayList<>();
    long count = 0;
    for (String object : objects) {
      List<JournalEntry> entries;
      try {
        entries = codec.decode(object, Replicas.read(store, object).content());
      } catch (IOException e) {
        damaged.add(new Damaged(object, String.valueOf(e.getMessage())));
        continue;
      }
      count += entries.size();
      reader.entries(entries);
      done.add(object);
    }
    return new Read(objects.size(), count, damaged);
  }
}
