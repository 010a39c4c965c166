package net.postern.ledger;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.MessageId;

/** Which segments are known to be entered completely, and which messages are. */
public final class SegmentTable {
  private final Database database;

  public SegmentTable(Database database) {
    this.database = database;
  }

  /** Segments whose every frame is in the ledger. */
  public Set<UUID> recorded() {
    return database
        .jdbi()
        .withHandle(
            handle ->
                new HashSet<>(
                    handle.createQuery("select id from segment").mapTo(UUID.class).list()));
  }

  /** Notes that every frame of a segment is in the ledger. */
  public void markRecorded(UUID segment) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle
                    .createUpdate("insert into segment (id) values (?) on conflict do nothing")
                    .bind(0, segment)
                    .execute());
  }

  /** Which of these messages the ledger does not know, for any customer. */
  public Set<MessageId> missing(List<MessageId> candidates) {
    Set<MessageId> missing = new HashSet<>(candidates);
    UUID[] ids = candidates.stream().map(MessageId::value).toArray(UUID[]::new);
    database
        .jdbi()
        .useHandle(
            handle ->
                handle
                    .createQuery("select distinct id from message where id = any(?)")
                    .bind(0, ids)
                    .mapTo(UUID.class)
                    .forEach(id -> missing.remove(new MessageId(id))));
    return missing;
  }
}
