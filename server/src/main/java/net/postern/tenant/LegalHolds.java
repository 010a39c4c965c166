package net.postern.tenant;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Legal holds. They are never deleted: a hold that was released stays on record.
 *
 * <p>Setting one and making something unreadable exclude each other: both take a lock of the
 * customer ({@link #lock}).
 */
public final class LegalHolds {
  private static final int MAX_REASON = 1_000;
  private static final String SELECT =
      "select id, customer_id, mailbox_id, reason, set_at, released_at from legal_hold";

  private final Database database;
  private final Clock clock;

  public LegalHolds(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * Sets a hold; it counts from the moment this returns.
   *
   * @param mailbox empty for everything of the customer
   * @throws TenantException when the mailbox is not the customer's, or the reason is none
   */
  public LegalHold set(Customer customer, Optional<MailboxId> mailbox, String reason)
      throws TenantException {
    if (reason.isBlank() || reason.length() > MAX_REASON) {
      throw new TenantException("the reason of a legal hold has 1 to 1000 characters");
    }
    LegalHold hold =
        new LegalHold(
            UUID.randomUUID(), customer.id(), mailbox, reason, clock.instant(), Optional.empty());
    boolean known =
        database
            .jdbi()
            .inTransaction(
                handle -> {
                  lock(handle, customer.id());
                  return handle.execute(
                          "insert into legal_hold (id, customer_id, mailbox_id, reason, set_at)"
                              + " select ?, ?, ?::uuid, ?, ? where ?::uuid is null or exists"
                              + " (select from mailbox where id = ?::uuid and customer_id = ?)",
                          hold.id(),
                          customer.id().value(),
                          mailbox.map(MailboxId::value).orElse(null),
                          reason,
                          Timestamp.from(hold.setAt()),
                          mailbox.map(MailboxId::value).orElse(null),
                          mailbox.map(MailboxId::value).orElse(null),
                          customer.id().value())
                      == 1;
                });
    if (!known) {
      throw new TenantException("the mailbox is not one of \"" + customer.name() + "\"");
    }
    return hold;
  }

  /**
   * Releases a hold.
   *
   * @throws TenantException when there is none of that id, or it was released before
   */
  public void release(UUID id) throws TenantException {
    int released =
        database
            .jdbi()
            .withHandle(
                handle ->
                    handle.execute(
                        "update legal_hold set released_at = ?"
                            + " where id = ? and released_at is null",
                        Timestamp.from(clock.instant()),
                        id));
    if (released == 0) {
      throw new TenantException("no legal hold " + id + " stands");
    }
  }

  /** The holds that stand. */
  public List<LegalHold> active() {
    return database.rows(SELECT + " where released_at is null order by set_at", LegalHolds::of);
  }

  /** All holds of a customer, also released ones, in the order in which they were set. */
  public List<LegalHold> of(CustomerId customer) {
    return database.rows(
        SELECT + " where customer_id = ? order by set_at", LegalHolds::of, customer.value());
  }

  /**
   * Takes the lock of a customer's holds until the transaction ends: no hold is set meanwhile.
   * Whoever makes something unreadable takes it, asks for holds in the same transaction, and acts.
   */
  public static void lock(org.jdbi.v3.core.Handle handle, CustomerId customer) {
    handle
        .createQuery("select id from customer where id = ? for update")
        .bind(0, customer.value())
        .mapTo(UUID.class)
        .findOne();
  }

  private static LegalHold of(ResultSet row) throws SQLException {
    UUID mailbox = row.getObject("mailbox_id", UUID.class);
    Timestamp released = row.getTimestamp("released_at");
    return new LegalHold(
        row.getObject("id", UUID.class),
        new CustomerId(row.getObject("customer_id", UUID.class)),
        Optional.ofNullable(mailbox).map(MailboxId::new),
        row.getString("reason"),
        row.getTimestamp("set_at").toInstant(),
        Optional.ofNullable(released).map(Timestamp::toInstant));
  }
}
