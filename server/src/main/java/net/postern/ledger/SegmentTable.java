package net.postern.ledger;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.MessageId;
import net.postern.vault.Place;
import org.jdbi.v3.core.Handle;

/**
 * Which segments are known to be entered completely, and which messages are.
 *
 * <p>A segment is <em>recorded</em> when table {@code segment} has a row for it. That says two
 * things: nobody has to walk it, and every frame in it that no message has as its place is dead, so
 * that compaction may delete it. Who records one must know that every acknowledged frame of it, in
 * any store, has its message, and that this message is not waiting for a place.
 */
public final class SegmentTable {
  /**
   * The segments that messages are in, but for those that are known to be lost. Goes from one
   * segment to the next in the index, however many messages they have.
   */
  static final String IN_USE =
      """
      with recursive used as (
        (select segment from message where dropped_at is null order by segment limit 1)
        union all
        select (select m.segment from message m
          where m.dropped_at is null and m.segment > used.segment order by m.segment limit 1)
        from used where used.segment is not null)
      select segment from used where segment is not null
        and not exists (select from lost_segment l where l.id = used.segment)""";

  private final Database database;

  public SegmentTable(Database database) {
    this.database = database;
  }

  /** Segments whose every frame is in the ledger. */
  public Set<UUID> recorded() {
    return ids("select id from segment");
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

  /** The segments that messages are in, but for those that are known to be lost. */
  public Set<UUID> inUse() {
    return ids(IN_USE);
  }

  /** Segments that were dropped and are not yet deleted from every store. */
  public Set<UUID> dropped() {
    return ids("select id from segment where dropped_at is not null and deleted_at is null");
  }

  /** Those of {@link #dropped} that messages were found in since: they are to be used again. */
  public Set<UUID> droppedInUse() {
    return ids(
        "select id from segment s where dropped_at is not null and deleted_at is null and exists"
            + " (select from message m where m.segment = s.id and m.dropped_at is null)");
  }

  private Set<UUID> ids(String sql) {
    return database
        .jdbi()
        .withHandle(handle -> new HashSet<>(handle.createQuery(sql).mapTo(UUID.class).list()));
  }

  /** In which segments the ledger says that these messages are; only those that are kept. */
  public Map<MessageId, Set<UUID>> segmentsOf(Collection<MessageId> messages) {
    Map<MessageId, Set<UUID>> found = new HashMap<>();
    database
        .jdbi()
        .useHandle(
            handle ->
                handle
                    .createQuery(
                        "select distinct id, segment from message"
                            + " where id = any(?) and dropped_at is null")
                    .bind(0, messages.stream().map(MessageId::value).toArray(UUID[]::new))
                    .map(
                        (row, context) ->
                            Map.entry(
                                new MessageId(row.getObject(1, UUID.class)),
                                row.getObject(2, UUID.class)))
                    .forEach(
                        each ->
                            found
                                .computeIfAbsent(each.getKey(), id -> new HashSet<>())
                                .add(each.getValue())));
    return found;
  }

  /**
   * Places messages where they were found, for all their customers, when they are kept and the
   * segment that they were in is lost. A segment that was dropped is not deleted any more.
   *
   * @param found in one segment
   * @param lost segments that are in no store
   * @return how many rows were moved
   * @throws IOException when a process is compacting: it may be about to delete the segment
   */
  public int relocate(Map<MessageId, Place> found, Set<UUID> lost) throws IOException {
    List<Map.Entry<MessageId, Place>> places = List.copyOf(found.entrySet());
    int moved =
        database
            .jdbi()
            .inTransaction(
                handle -> {
                  boolean ours =
                      handle
                          .createQuery("select pg_try_advisory_xact_lock(?)")
                          .bind(0, SegmentRetention.LOCK)
                          .mapTo(Boolean.class)
                          .one();
                  return ours ? relocate(handle, places, lost) : -1;
                });
    if (moved < 0) {
      throw new IOException("stores are being compacted; messages are placed anew after that");
    }
    return moved;
  }

  private static int relocate(
      Handle handle, List<Map.Entry<MessageId, Place>> found, Set<UUID> lost) {
    handle.execute(
        "update segment set deleting_at = null where id = any(?) and deleted_at is null",
        (Object)
            found.stream().map(each -> each.getValue().segment()).distinct().toArray(UUID[]::new));
    return handle
        .createUpdate(
            """
            update message m set segment = u.segment, frame_offset = u.at, frame_length = u.length
            from unnest(?::uuid[], ?::uuid[], ?::bigint[], ?::integer[])
              as u (id, segment, at, length)
            where m.id = u.id and m.segment = any(?) and m.dropped_at is null""")
        .bind(0, found.stream().map(each -> each.getKey().value()).toArray(UUID[]::new))
        .bind(1, found.stream().map(each -> each.getValue().segment()).toArray(UUID[]::new))
        .bind(2, found.stream().map(each -> each.getValue().offset()).toArray(Long[]::new))
        .bind(3, found.stream().map(each -> each.getValue().length()).toArray(Integer[]::new))
        .bind(4, lost.toArray(UUID[]::new))
        .execute();
  }

  /** Takes a dropped segment into use again, every frame of which has been seen. */
  public void revive(UUID segment) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update segment set dropped_at = null, deleting_at = null, replaced_by = null,"
                        + " bytes = null, live_bytes = null, dead_since = null, ends_at = null,"
                        + " next_look_at = '-infinity' where id = ? and deleted_at is null",
                    segment));
  }

  /**
   * Notes that segments are in no store and that their messages were found nowhere else.
   *
   * @return how many messages that are kept were in them, for each customer
   */
  public long noteLost(Set<UUID> segments) {
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              UUID[] ids = segments.toArray(UUID[]::new);
              handle.execute(
                  "insert into lost_segment (id) select distinct segment from message"
                      + " where segment = any(?) and dropped_at is null on conflict do nothing",
                  (Object) ids);
              return handle
                  .createQuery(
                      "select count(*) from message where segment = any(?) and dropped_at is null")
                  .bind(0, ids)
                  .mapTo(Long.class)
                  .one();
            });
  }

  /** Takes back {@link #noteLost} of segments that are there. */
  public void noteFound(Collection<UUID> segments) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "delete from lost_segment where id = any(?)",
                    (Object) segments.toArray(UUID[]::new)));
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
