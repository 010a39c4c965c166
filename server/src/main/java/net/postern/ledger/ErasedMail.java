package net.postern.ledger;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.tenant.Erasures;

/**
 * Ends deliveries whose mail nobody can read any more, because the mailbox's key, or its
 * customer's, was erased.
 */
public final class ErasedMail {
  /** The rule that such deliveries are removed by. */
  public static final String RULE = "mailbox erased";

  /** Most deliveries that end in one transaction. */
  private static final int BATCH = 1_000;

  // Each is asked every few seconds for a day, so each has an index that it is sure to use: the
  // planner cannot be trusted to split a condition of several columns with "or".
  static final String OF_MAILBOXES =
      """
      select d.customer_id, d.message_id, d.number
      from unnest(?::uuid[], ?::uuid[]) e (customer, mailbox)
      join delivery d on d.customer_id = e.customer and d.mailbox_id = e.mailbox
      where d.state in (0, 2)\
      """;

  static final String OF_CUSTOMERS =
      """
      select d.customer_id, d.message_id, d.number from delivery d
      where d.customer_id = any(?::uuid[]) and d.state in (0, 2)\
      """;

  // In progress with a lease that ran out. What a node works on now has its message in memory, or
  // finds that it cannot read it; its outcome is entered first. Few: nodes lease them again.
  static final String LEFT_OF_MAILBOXES =
      """
      select d.customer_id, d.message_id, d.number from delivery d
      where d.state = 1 and d.due_at <= now()
        and d.customer_id = any(?::uuid[]) and d.mailbox_id = any(?::uuid[])\
      """;

  static final String LEFT_OF_CUSTOMERS =
      """
      select d.customer_id, d.message_id, d.number from delivery d
      where d.state = 1 and d.due_at <= now() and d.customer_id = any(?::uuid[])\
      """;

  private static final String COUNT =
      "select count(*) filter (where state = 0) waiting, count(*) filter (where state = 2) held"
          + " from delivery d where d.state in (0, 2) and d.customer_id = ?";

  private static final String BUSY =
      "select count(*) waiting, 0 held from delivery d where d.state = 1 and d.customer_id = ?";

  // What another transaction has locked is taken by a node, or ended by somebody else: the next
  // look sees which.
  static final String REMOVE =
      """
      with open as (%s limit ? for update of d skip locked),
      gone as (
        update delivery d set state = 5, due_at = now(), node = null, rule = ?
        from open o
        where d.customer_id = o.customer_id and d.message_id = o.message_id
          and d.number = o.number
        returning d.customer_id, d.message_id, d.recipient),
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
  public record Open(long waiting, long held) {
    Open plus(Open other) {
      return new Open(waiting + other.waiting, held + other.held);
    }
  }

  /**
   * Ends the open deliveries of mailboxes, or of whole customers, up to 1,000 in a transaction.
   *
   * @param of what was erased
   * @param ended gets what ended, after each transaction
   * @return how many ended
   */
  public long remove(List<Erasures.Erased> of, Consumer<List<Removed>> ended) {
    Ids ids = Ids.of(of);
    long count = 0;
    if (ids.mailboxes().length > 0) {
      count += remove(OF_MAILBOXES, ids.owners(), ids.mailboxes(), ended);
      count += remove(LEFT_OF_MAILBOXES, ids.owners(), ids.mailboxes(), ended);
    }
    if (ids.customers().length > 0) {
      count += remove(OF_CUSTOMERS, ids.customers(), ended);
      count += remove(LEFT_OF_CUSTOMERS, ids.customers(), ended);
    }
    return count;
  }

  private long remove(String which, String[] customers, Consumer<List<Removed>> ended) {
    return remove(REMOVE.formatted(which), ended, customers, BATCH, RULE, RULE);
  }

  private long remove(
      String which, String[] customers, String[] mailboxes, Consumer<List<Removed>> ended) {
    return remove(REMOVE.formatted(which), ended, customers, mailboxes, BATCH, RULE, RULE);
  }

  private long remove(String statement, Consumer<List<Removed>> ended, Object... arguments) {
    long count = 0;
    List<Removed> batch;
    do {
      batch =
          database.rows(
              statement,
              row ->
                  new Removed(
                      new CustomerId(row.getObject("customer_id", UUID.class)),
                      new MessageId(row.getObject("message_id", UUID.class)),
                      row.getString("recipient")),
              arguments);
      ended.accept(batch);
      count += batch.size();
    } while (batch.size() == BATCH);
    return count;
  }

  /**
   * Counts what {@link #remove} would end, with what is under way.
   *
   * @param of a mailbox or a customer
   */
  public Open open(Erasures.Erased of) {
    UUID customer = of.customer().value();
    Optional<UUID> mailbox = of.mailbox().map(MailboxId::value);
    Optional<Open> rest =
        mailbox.isPresent()
            ? database.row(
                COUNT + " and d.mailbox_id = ?", ErasedMail::open, customer, mailbox.get())
            : database.row(COUNT, ErasedMail::open, customer);
    Optional<Open> busy =
        mailbox.isPresent()
            ? database.row(
                BUSY + " and d.mailbox_id = ?", ErasedMail::open, customer, mailbox.get())
            : database.row(BUSY, ErasedMail::open, customer);
    Open none = new Open(0, 0);
    return rest.orElse(none).plus(busy.orElse(none));
  }

  private static Open open(ResultSet row) throws SQLException {
    return new Open(row.getLong("waiting"), row.getLong("held"));
  }

  private record Ids(String[] owners, String[] mailboxes, String[] customers) {
    static Ids of(List<Erasures.Erased> all) {
      List<String> owners = new ArrayList<>();
      List<String> mailboxes = new ArrayList<>();
      List<String> customers = new ArrayList<>();
      for (Erasures.Erased each : all) {
        if (each.mailbox().isPresent()) {
          owners.add(each.customer().toString());
          mailboxes.add(each.mailbox().get().toString());
        } else {
          customers.add(each.customer().toString());
        }
      }
      return new Ids(
          owners.toArray(new String[0]),
          mailboxes.toArray(new String[0]),
          customers.toArray(new String[0]));
    }
  }
}
