package net.postern.ledger;

import java.util.List;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;

/**
 * Ends deliveries whose mail nobody can read any more, because the mailbox's key, or its
 * customer's, was erased.
 */
public final class ErasedMail {
  /** The rule that such deliveries are removed by. */
  public static final String RULE = "mailbox erased";

  // Waiting, held, or in progress with a lease that ran out. What a node works on now has its
  // message in memory, or finds that it cannot read it; its outcome is entered first.
  private static final String REMOVE =
      """
      with gone as (
        update delivery set state = 5, due_at = now(), node = null, rule = ?
        where (mailbox_id = any(?::uuid[]) or customer_id = any(?::uuid[]))
          and (state in (0, 2) or (state = 1 and due_at <= now()))
        returning customer_id, message_id, recipient),
      told as (
        insert into trace (happened_at, customer_id, message_id, event, recipient, detail)
        select now(), customer_id, message_id, 'removed', recipient, ? from gone)
      select customer_id, message_id, recipient from gone\
      """;

  private final Database database;

  public ErasedMail(Database database) {
    this.database = database;
  }

  /** A delivery that ended. */
  public record Removed(CustomerId customer, MessageId message, String recipient) {}

  /** How many deliveries are open. */
  public record Open(long waiting, long held) {}

  /**
   * Ends the open deliveries of mailboxes, or of whole customers.
   *
   * @param ids of mailboxes and customers that were erased
   * @return what ended
   */
  public List<Removed> remove(List<UUID> ids) {
    String[] all = ids.stream().map(UUID::toString).toArray(String[]::new);
    return database
        .jdbi()
        .inTransaction(
            handle ->
                handle
                    .select(REMOVE, RULE, all, all, RULE)
                    .map(
                        (row, context) ->
                            new Removed(
                                new CustomerId(row.getObject("customer_id", UUID.class)),
                                new MessageId(row.getObject("message_id", UUID.class)),
                                row.getString("recipient")))
                    .list());
  }

  /**
   * Counts what {@link #remove} would end, with what is under way.
   *
   * @param id of a mailbox or a customer
   */
  public Open open(UUID id) {
    return database
        .row(
            "select count(*) filter (where state in (0, 1)) waiting,"
                + " count(*) filter (where state = 2) held from delivery"
                + " where state in (0, 1, 2) and (mailbox_id = ? or customer_id = ?)",
            row -> new Open(row.getLong("waiting"), row.getLong("held")),
            id,
            id)
        .orElse(new Open(0, 0));
  }
}
