package net.postern.ledger;

import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;

/**
 * Who keeps messages besides their deliveries: a mailbox that holds one, the archive, a backup. As
 * long as one of them does, the vault has the message.
 */
public final class Keepers {

  /**
   * How soon after a keeper lets go the segment is looked at, so that many deletions in a row cost
   * one look.
   */
  private static final Duration LOOK_AFTER = Duration.ofHours(1);

  private static final int MAX_KIND = 40;

  private final Database database;
  private final Clock clock;

  public Keepers(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * Someone who keeps a message.
   *
   * @param kind what it is, such as {@code mailbox} or {@code archive}; 1 to 40 characters
   * @param mailbox whose it is, if it is a mailbox's
   * @param until empty: for ever
   */
  public record Keeper(String kind, Optional<MailboxId> mailbox, Optional<Instant> until) {
    public Keeper {
      if (kind.isEmpty() || kind.length() > MAX_KIND) {
        throw new IllegalArgumentException("a keeper's kind has 1 to 40 characters: " + kind);
      }
    }
  }

  /**
   * Keeps a message; says anew until when, if it is kept by the same one already.
   *
   * @return false when the message is gone, or never was: nothing is kept then
   */
  public boolean add(CustomerId customer, MessageId message, Keeper keeper) {
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              // Waits for a compaction that is about to decide on the message, and makes the next
              // one wait for us.
              boolean there =
                  handle
                      .createQuery(
                          "select 1 from message where customer_id = ? and id = ?"
                              + " and dropped_at is null for share")
                      .bind(0, customer.value())
                      .bind(1, message.value())
                      .mapTo(Integer.class)
                      .findOne()
                      .isPresent();
              if (there) {
                handle.execute(
                    "insert into keeper (customer_id, message_id, kind, mailbox_id, keep_until)"
                        + " values (?, ?, ?, ?::uuid, ?::timestamptz)"
                        + " on conflict (customer_id, message_id, kind, mailbox_id)"
                        + " do update set keep_until = excluded.keep_until",
                    customer.value(),
                    message.value(),
                    keeper.kind(),
                    keeper.mailbox().map(MailboxId::value).orElse(null),
                    keeper.until().map(Timestamp::from).orElse(null));
              }
              return there;
            });
  }

  /**
   * Lets a message go. What nothing else keeps is gone from the stores within {@code
   * vault.dead_within}.
   *
   * @return false when it was not kept by this one
   */
  public boolean remove(
      CustomerId customer, MessageId message, String kind, Optional<MailboxId> mailbox) {
    Timestamp soon = Timestamp.from(clock.instant().plus(LOOK_AFTER));
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              boolean removed =
                  handle.execute(
                          "delete from keeper where customer_id = ? and message_id = ?"
                              + " and kind = ? and mailbox_id is not distinct from ?::uuid",
                          customer.value(),
                          message.value(),
                          kind,
                          mailbox.map(MailboxId::value).orElse(null))
                      > 0;
              if (removed) {
                handle.execute(
                    "update segment set next_look_at = ? where next_look_at > ? and id ="
                        + " (select segment from message where customer_id = ? and id = ?)",
                    soon,
                    soon,
                    customer.value(),
                    message.value());
              }
              return removed;
            });
  }

  /** Who keeps a message now, besides its deliveries and legal holds. */
  public List<Keeper> of(CustomerId customer, MessageId message) {
    return database.rows(
        "select kind, mailbox_id, keep_until from keeper where customer_id = ? and message_id = ?"
            + " and (keep_until is null or keep_until > ?) order by kind, mailbox_id",
        row ->
            new Keeper(
                row.getString("kind"),
                Optional.ofNullable(row.getObject("mailbox_id", UUID.class)).map(MailboxId::new),
                Optional.ofNullable(row.getTimestamp("keep_until")).map(Timestamp::toInstant)),
        customer.value(),
        message.value(),
        Timestamp.from(clock.instant()));
  }
}
