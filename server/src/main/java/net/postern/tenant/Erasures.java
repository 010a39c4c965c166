package net.postern.tenant;

import java.io.IOException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.blob.Parcel;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.KeyErasedException;
import net.postern.keys.KeyRing;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;

/**
 * Erases the keys of mailboxes and customers, so that nobody can read their mail any more.
 *
 * <p>One transaction looks for legal holds under their lock, takes the addresses away and puts the
 * tombstone into the database: that is the moment of no return. The stores follow ({@link
 * KeyRing#spread}); whatever is left of that after a crash is done by any node.
 */
public final class Erasures {
  /** The local part that stands for a domain's catch-all. */
  private static final String ANY = "*";

  private final Database database;
  private final KeyRing keys;
  private final Clock clock;

  public Erasures(Database database, KeyRing keys, Clock clock) {
    this.database = database;
    this.keys = keys;
    this.clock = clock;
  }

  /** Every mailbox whose key was erased. */
  public Set<MailboxId> erasedMailboxes() {
    return Set.copyOf(
        database.rows(
            "select id from mailbox where erased_at is not null",
            row -> new MailboxId(row.getObject("id", UUID.class))));
  }

  /**
   * What was erased, or is to be.
   *
   * @param mailbox empty: everything of the customer
   */
  public record Erased(CustomerId customer, Optional<MailboxId> mailbox) {}

  /** Which of some ids are mailboxes and customers, and whose. */
  public List<Erased> of(List<UUID> ids) {
    String[] all = ids.stream().map(UUID::toString).toArray(String[]::new);
    return database.rows(
        "select customer_id, id mailbox from mailbox where id = any(?::uuid[])"
            + " union all select id, null from customer where id = any(?::uuid[])",
        row ->
            new Erased(
                new CustomerId(row.getObject("customer_id", UUID.class)),
                Optional.ofNullable(row.getObject("mailbox", UUID.class)).map(MailboxId::new)),
        all,
        all);
  }

  /**
   * A mailbox that can be erased.
   *
   * @param addresses that lead to it; {@code *@domain} for a catch-all
   * @param erasedAt when it was erased; empty when it was not
   */
  public record Target(
      CustomerId customer,
      String customerName,
      MailboxId mailbox,
      List<String> addresses,
      Optional<Instant> erasedAt) {
    public Target {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * The mailbox of an address; of a domain's catch-all for {@code *@domain}.
   *
   * @throws TenantException when there is none
   */
  public Target find(EmailAddress address) throws TenantException {
    Optional<UUID> id =
        database
            .row(
                "select coalesce((select mailbox_id from address where address = ?),"
                    + " (select catch_all_mailbox from domain where name = ? and ? = '*')) id",
                row -> Optional.ofNullable(row.getObject("id", UUID.class)),
                address.key(),
                address.domain(),
                address.localPart())
            .flatMap(found -> found);
    if (id.isEmpty()) {
      throw new TenantException(
          "no user "
              + address
              + "; what was erased, or has no address any more, is named by its mailbox's id");
    }
    return find(new MailboxId(id.get()));
  }

  /**
   * A mailbox by its id, also one without any address.
   *
   * @throws TenantException when there is none
   */
  public Target find(MailboxId mailbox) throws TenantException {
    List<String> addresses =
        database.rows(
            "select address from address where mailbox_id = ?"
                + " union select '*@' || name from domain where catch_all_mailbox = ? order by 1",
            row -> row.getString(1),
            mailbox.value(),
            mailbox.value());
    return database
        .row(
            "select m.customer_id, m.erased_at, c.name from mailbox m"
                + " join customer c on c.id = m.customer_id where m.id = ?",
            row ->
                new Target(
                    new CustomerId(row.getObject("customer_id", UUID.class)),
                    row.getString("name"),
                    mailbox,
                    addresses,
                    Optional.ofNullable(row.getTimestamp("erased_at")).map(Timestamp::toInstant)),
            mailbox.value())
        .orElseThrow(() -> new TenantException("no mailbox " + mailbox));
  }

  /**
   * Erases a mailbox's key in the database and takes its addresses away. A catch-all goes on with a
   * fresh mailbox, so that no domain stops taking mail by this. Does nothing when it was erased.
   *
   * @throws TenantException when a legal hold covers it; when it is a domain's postmaster and
   *     nobody else would get mail for that (RFC 5321 §4.5.1); or when its key cannot be had.
   *     Nothing was changed then.
   */
  public void erase(Target target) throws TenantException {
    MailboxId mailbox = target.mailbox();
    Instant now = clock.instant();
    Parcel tombstone;
    try {
      tombstone = keys.tombstone(mailbox, now);
    } catch (KeyErasedException e) {
      if (target.erasedAt().isPresent()) {
        return;
      }
      throw new TenantException("the customer of the mailbox was erased, and the mailbox with it");
    } catch (IOException e) {
      throw new TenantException("the mailbox's key cannot be had: " + e.getMessage(), e);
    }
    Map<String, MailboxId> successors = successors(target);
    inTransaction(
        handle -> {
          LegalHolds.lock(handle, target.customer());
          refuseWhenHeld(handle, target.customer(), Optional.of(mailbox));
          successors.forEach(
              (domain, successor) ->
                  succeed(handle, target.customer(), domain, mailbox, successor));
          refuseLonelyPostmaster(handle, mailbox);
          handle.execute("delete from address where mailbox_id = ?", mailbox.value());
          handle.execute(
              "update mailbox set erased_at = ? where id = ?",
              Timestamp.from(now),
              mailbox.value());
          DatabaseKeyShelf.erase(handle, mailbox.value(), tombstone);
        });
    keys.forget(mailbox.value());
  }

  /**
   * Erases a customer's key in the database, and takes away its domains with all that belongs to
   * them, its servers and its name. Does nothing when it was erased.
   *
   * @throws TenantException when a legal hold covers any of it, or its key cannot be had. Nothing
   *     was changed then.
   */
  public void erase(Customer customer) throws TenantException {
    UUID id = customer.id().value();
    Instant now = clock.instant();
    Parcel tombstone;
    try {
      tombstone = keys.tombstone(customer.id(), now);
    } catch (KeyErasedException e) {
      return;
    } catch (IOException e) {
      throw new TenantException("the customer's key cannot be had: " + e.getMessage(), e);
    }
    inTransaction(
        handle -> {
          LegalHolds.lock(handle, customer.id());
          refuseWhenHeld(handle, customer.id(), Optional.empty());
          handle.execute("delete from address where customer_id = ?", id);
          handle.execute(
              "delete from route where domain in (select name from domain where customer_id = ?)",
              id);
          handle.execute("delete from domain where customer_id = ?", id);
          handle.execute("delete from registered_server where customer_id = ?", id);
          handle.execute(
              "update mailbox set erased_at = ? where customer_id = ? and erased_at is null",
              Timestamp.from(now),
              id);
          handle.execute("update customer set name = ? where id = ?", "erased " + id, id);
          DatabaseKeyShelf.erase(handle, id, tombstone);
        });
    keys.forget(id);
  }

  // Their keys are made before the transaction, as for any mailbox: a key that nothing uses is no
  // harm.
  private Map<String, MailboxId> successors(Target target) throws TenantException {
    Map<String, MailboxId> fresh = new HashMap<>();
    for (String address : target.addresses()) {
      if (address.startsWith(ANY + "@")) {
        MailboxId successor = MailboxId.create();
        try {
          keys.createMailbox(target.customer(), successor, address);
        } catch (IOException e) {
          throw new TenantException(
              "the key of the mailbox that takes over could not be kept: " + e.getMessage(), e);
        }
        fresh.put(address.substring(2), successor);
      }
    }
    return fresh;
  }

  private static void succeed(
      Handle handle, CustomerId customer, String domain, MailboxId mailbox, MailboxId successor) {
    handle.execute(
        "insert into mailbox (id, customer_id) values (?, ?)", successor.value(), customer.value());
    handle.execute(
        "update domain set catch_all_mailbox = ? where name = ? and catch_all_mailbox = ?",
        successor.value(),
        domain,
        mailbox.value());
  }

  private static void refuseWhenHeld(
      Handle handle, CustomerId customer, Optional<MailboxId> mailbox) throws TenantException {
    UUID id = mailbox.map(MailboxId::value).orElse(null);
    List<String> holds =
        handle
            .select(
                "select id, reason from legal_hold where customer_id = ? and released_at is null"
                    + " and (?::uuid is null or mailbox_id is null or mailbox_id = ?::uuid)"
                    + " order by set_at",
                customer.value(),
                id,
                id)
            .map((row, context) -> row.getString("id") + " (" + row.getString("reason") + ")")
            .list();
    if (!holds.isEmpty()) {
      throw new TenantException(
          "legal hold %s forbids it; it can be erased when 'admin hold release' was said of each"
              .formatted(String.join(", ", holds)));
    }
  }

  // RFC 5321 §4.5.1: every domain takes mail for its postmaster. With a catch-all that gets it.
  private static void refuseLonelyPostmaster(Handle handle, MailboxId mailbox)
      throws TenantException {
    List<String> lonely = new ArrayList<>();
    handle
        .select(
            "select a.address from address a join domain d on d.name = a.domain"
                + " where a.mailbox_id = ? and a.address = ? || d.name"
                + " and d.catch_all_mailbox is null order by 1",
            mailbox.value(),
            Tenants.POSTMASTER + "@")
        .map((row, context) -> row.getString(1))
        .forEach(lonely::add);
    if (!lonely.isEmpty()) {
      throw new TenantException(
          "mail for %s goes to this mailbox, and every domain takes mail for its postmaster: give it to another user first ('admin user alias %s USER'), then erase mailbox %s"
              .formatted(String.join(", ", lonely), lonely.getFirst(), mailbox));
    }
  }

  @FunctionalInterface
  private interface Work {
    void apply(Handle handle) throws TenantException;
  }

  private void inTransaction(Work work) throws TenantException {
    try {
      database.jdbi().useTransaction(work::apply);
    } catch (JdbiException e) {
      throw new TenantException("nothing was erased: " + e.getMessage(), e);
    }
  }
}
