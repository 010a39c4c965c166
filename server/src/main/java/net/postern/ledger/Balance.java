package net.postern.ledger;

import java.util.List;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;

/**
 * Promise 2 as a query: for every customer, what was accepted is delivered, held, waiting, returned
 * or removed, and nothing else. {@code accepted} counts the recipients that {@code message} rows
 * say they had when they were accepted; the states are counted from {@code delivery} rows, so that
 * a lost row shows.
 */
public record Balance(
    CustomerId customer,
    String name,
    long messages,
    long accepted,
    long delivered,
    long held,
    long waiting,
    long returned,
    long removed) {

  private static final String QUERY =
      """
      with accepted as (
        select customer_id, count(*) messages, sum(recipients) recipients
        from message group by customer_id),
      states as (
        select customer_id,
          count(*) filter (where state = 3) delivered,
          count(*) filter (where state = 2) held,
          count(*) filter (where state in (0, 1)) waiting,
          count(*) filter (where state = 4) returned,
          count(*) filter (where state = 5) removed
        from delivery group by customer_id)
      select coalesce(a.customer_id, s.customer_id) id, coalesce(c.name, '(removed customer)') name,
        coalesce(a.messages, 0) messages, coalesce(a.recipients, 0) accepted,
        coalesce(s.delivered, 0) delivered, coalesce(s.held, 0) held,
        coalesce(s.waiting, 0) waiting, coalesce(s.returned, 0) returned,
        coalesce(s.removed, 0) removed
      from accepted a full join states s using (customer_id)
        left join customer c on c.id = coalesce(a.customer_id, s.customer_id)
      order by name""";

  private static final String UNBALANCED =
      """
      select m.id from message m
      where m.recipients <> (select count(*) from delivery d
        where d.customer_id = m.customer_id and d.message_id = m.id)
      order by m.id limit ?""";

  /** What is unaccounted for: 0, or something vanished (positive) or was made up (negative). */
  public long difference() {
    return accepted - delivered - held - waiting - returned - removed;
  }

  /** The balance of every customer, from one snapshot of the database. */
  public static List<Balance> all(Database database) {
    return database
        .jdbi()
        .withHandle(
            handle ->
                handle
                    .createQuery(QUERY)
                    .map(
                        (row, context) ->
                            new Balance(
                                new CustomerId(row.getObject("id", java.util.UUID.class)),
                                row.getString("name"),
                                row.getLong("messages"),
                                row.getLong("accepted"),
                                row.getLong("delivered"),
                                row.getLong("held"),
                                row.getLong("waiting"),
                                row.getLong("returned"),
                                row.getLong("removed")))
                    .list());
  }

  /** Messages whose deliveries are not as many as their recipients; at most {@code max}. */
  public static List<MessageId> unbalanced(Database database, int max) {
    return database
        .jdbi()
        .withHandle(
            handle ->
                handle
                    .createQuery(UNBALANCED)
                    .bind(0, max)
                    .map((row, context) -> new MessageId(row.getObject(1, java.util.UUID.class)))
                    .list());
  }
}
