package net.postern.tenant;

import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  /** With its id the name of a customer that was erased. */
  static final String ERASED_NAME = "erased ";

  private static final Logger LOG = LoggerFactory.getLogger(Erasures.class);

  private final Database database;
  private final KeyRing keys;
  private final Clock clock;
  private final List<PersonData> others;

  /**
   * @param others what other packages keep of people
   */
  public Erasures(Database database, KeyRing keys, Clock clock, List<? extends PersonData> others) {
    this.database = database;
    this.keys = keys;
    this.clock = clock;
    this.others = List.copyOf(others);
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
        Erasures::erased,
        all,
        all);
  }

  private static Erased erased(ResultSet row) throws SQLException {
    return new Erased(
        new CustomerId(row.getObject("customer_id", UUID.class)),
        Optional.ofNullable(row.getObject("mailbox", UUID.class)).map(MailboxId::new));
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
   * fresh mailbox, so that no domain stops taking mail by this. Of one that was erased before,
   * {@linkplain #complete finishes} what is left.
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
      complete(List.of(e.id()));
      return;
    } catch (IOException e) {
      throw new TenantException("the mailbox's key cannot be had: " + e.getMessage(), e);
    }
    Map<String, MailboxId> successors = successors(target);
    inTransaction(
        handle -> {
          LegalHolds.lock(handle, target.customer());
          refuseWhenHeld(handle, target.customer(), Optional.of(mailbox));
          succeed(handle, target, successors);
          refuseLonelyPostmaster(handle, mailbox);
          leave(handle, target.customer(), mailbox, now);
          DatabaseKeyShelf.erase(handle, mailbox.value(), tombstone);
        });
    keys.forget(mailbox.value());
  }

  /**
   * Erases a customer's key in the database, and takes away its domains with all that belongs to
   * them, its servers and its name. Of one that was erased before, {@linkplain #complete finishes}
   * what is left.
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
      complete(List.of(id));
      return;
    } catch (IOException e) {
      throw new TenantException("the customer's key cannot be had: " + e.getMessage(), e);
    }
    inTransaction(
        handle -> {
          LegalHolds.lock(handle, customer.id());
          refuseWhenHeld(handle, customer.id(), Optional.empty());
          leave(handle, customer.id(), now);
          DatabaseKeyShelf.erase(handle, id, tombstone);
        });
    keys.forget(id);
  }

  /**
   * Does to mailboxes and customers what their erasure does, where the key is erased already but
   * the row does not say so: a database that was put back from a time before the erasure. Mail for
   * them would otherwise be taken at RCPT and kept by nobody, and other recipients' with it.
   *
   * <p>No legal hold keeps it back: it saves what can be read, and nothing is left of that. A
   * domain's postmaster goes on with a fresh mailbox, as a catch-all does (RFC 5321 §4.5.1).
   *
   * @param ids of keys that were erased; what is done with is passed over
   * @throws TenantException when one could not be finished; the others were
   */
  public void complete(List<UUID> ids) throws TenantException {
    List<TenantException> failures = new ArrayList<>();
    for (Erased each : unfinished(ids)) {
      try {
        if (each.mailbox().isPresent()) {
          completeMailbox(each.mailbox().get());
        } else {
          completeCustomer(each.customer());
        }
      } catch (TenantException e) {
        failures.add(e);
      }
    }
    if (!failures.isEmpty()) {
      throw failures.getFirst();
    }
  }

  private List<Erased> unfinished(List<UUID> ids) {
    String[] all = ids.stream().map(UUID::toString).toArray(String[]::new);
    return database.rows(
        "select id customer_id, null::uuid mailbox from customer"
            + " where id = any(?::uuid[]) and name <> ? || id::text"
            + " union all select m.customer_id, m.id from mailbox m"
            + " where m.id = any(?::uuid[]) and m.erased_at is null"
            + " and not m.customer_id = any(?::uuid[])",
        Erasures::erased,
        all,
        ERASED_NAME,
        all,
        all);
  }

  private void completeMailbox(MailboxId mailbox) throws TenantException {
    Target target = find(mailbox);
    Map<String, MailboxId> successors = successors(target);
    List<String> postmaster =
        database.jdbi().withHandle(handle -> lonelyPostmaster(handle, mailbox));
    for (String address : postmaster) {
      successors.put(address, successor(target.customer(), address));
    }
    inTransaction(
        handle -> {
          LegalHolds.lock(handle, target.customer());
          if (find(mailbox).erasedAt().isEmpty()) {
            succeed(handle, target, successors);
            leave(handle, target.customer(), mailbox, clock.instant());
          }
        });
    LOG.info(
        "mailbox {} was erased before this database knew: its addresses are gone now", mailbox);
  }

  private void completeCustomer(CustomerId customer) throws TenantException {
    inTransaction(
        handle -> {
          LegalHolds.lock(handle, customer);
          leave(handle, customer, clock.instant());
        });
    LOG.info(
        "customer {} was erased before this database knew: its domains are gone now", customer);
  }

  private void leave(Handle handle, CustomerId customer, MailboxId mailbox, Instant now) {
    PersonData.Leaving leaving =
        new PersonData.Leaving(
            customer,
            Optional.of(mailbox),
            List.of(mailbox),
            texts(handle, "select address from address where mailbox_id = ?", mailbox.value()),
            List.of());
    others.forEach(each -> each.erase(handle, leaving));
    leaveGroups(handle, customer, mailbox);
    handle.execute("delete from directory_entry where mailbox_id = ?", mailbox.value());
    handle.execute("delete from address where mailbox_id = ?", mailbox.value());
    handle.execute("delete from credential where mailbox_id = ?", mailbox.value());
    handle.execute("delete from app_password where mailbox_id = ?", mailbox.value());
    handle.execute("delete from send_limit where mailbox_id = ?", mailbox.value());
    handle.execute(
        "update customer set server_mailbox = null where server_mailbox = ?", mailbox.value());
    handle.execute("delete from sender_entry where mailbox_id = ?", mailbox.value());
    handle.execute("delete from check_choice where mailbox_id = ?", mailbox.value());
    handle.execute(
        "update mailbox set erased_at = ? where id = ?", Timestamp.from(now), mailbox.value());
  }

  // Of the customer's own groups, also with a detail. A group that nobody is left in stays: its
  // mail waits, and a person decides. Other customers' groups are their own affair; what they have
  // of the address is an address that does not exist.
  private static void leaveGroups(Handle handle, CustomerId customer, MailboxId mailbox) {
    handle.execute(
        """
        delete from group_member m using address a join domain d on d.name = a.domain
        where a.mailbox_id = ? and m.customer_id = ? and (m.member = a.address or
          right(m.member, length(d.name) + 1) = '@' || d.name
          and starts_with(m.member, left(a.address, length(a.address) - length(d.name) - 1))
          and position(substr(m.member, length(a.address) - length(d.name), 1) in d.subaddress) > 0)""",
        mailbox.value(),
        customer.value());
  }

  private static List<String> texts(Handle handle, String sql, UUID id) {
    return handle.select(sql, id).mapTo(String.class).list();
  }

  private void leave(Handle handle, CustomerId customer, Instant now) {
    UUID id = customer.value();
    PersonData.Leaving leaving =
        new PersonData.Leaving(
            customer,
            Optional.empty(),
            handle
                .select("select id from mailbox where customer_id = ?", id)
                .mapTo(UUID.class)
                .map(MailboxId::new)
                .list(),
            List.of(),
            texts(handle, "select name from domain where customer_id = ?", id));
    others.forEach(each -> each.erase(handle, leaving));
    handle.execute("delete from group_member where customer_id = ?", id);
    handle.execute("delete from address where customer_id = ?", id);
    handle.execute(
        "delete from route where domain in (select name from domain where customer_id = ?)", id);
    handle.execute("delete from domain where customer_id = ?", id);
    handle.execute("delete from registered_server where customer_id = ?", id);
    handle.execute("delete from directory_source where customer_id = ?", id);
    handle.execute("delete from directory_entry where customer_id = ?", id);
    handle.execute("delete from directory_status where customer_id = ?", id);
    handle.execute("delete from server_certificate where customer_id = ?", id);
    handle.execute("delete from credential where customer_id = ?", id);
    handle.execute("delete from app_password where customer_id = ?", id);
    handle.execute("delete from send_limit where customer_id = ?", id);
    handle.execute("delete from sender_entry where customer_id = ?", id);
    handle.execute("delete from check_choice where customer_id = ?", id);
    handle.execute(
        "update mailbox set erased_at = ? where customer_id = ? and erased_at is null",
        Timestamp.from(now),
        id);
    handle.execute("update customer set name = ? where id = ?", ERASED_NAME + id, id);
  }

  // Their keys are made before the transaction, as for any mailbox: a key that nothing uses is no
  // harm. By the addresses that they take over.
  private Map<String, MailboxId> successors(Target target) throws TenantException {
    Map<String, MailboxId> fresh = new HashMap<>();
    for (String address : target.addresses()) {
      if (address.startsWith(ANY + "@")) {
        fresh.put(address, successor(target.customer(), address));
      }
    }
    return fresh;
  }

  private MailboxId successor(CustomerId customer, String address) throws TenantException {
    MailboxId successor = MailboxId.create();
    try {
      keys.createMailbox(customer, successor, address);
    } catch (IOException e) {
      throw new TenantException(
          "the key of the mailbox that takes over could not be kept: " + e.getMessage(), e);
    }
    return successor;
  }

  private static void succeed(Handle handle, Target target, Map<String, MailboxId> successors) {
    successors.forEach(
        (address, successor) -> {
          handle.execute(
              "insert into mailbox (id, customer_id) values (?, ?)",
              successor.value(),
              target.customer().value());
          handle.execute(
              "update domain set catch_all_mailbox = ?"
                  + " where '*@' || name = ? and catch_all_mailbox = ?",
              successor.value(),
              address,
              target.mailbox().value());
          handle.execute(
              "update address set mailbox_id = ? where address = ? and mailbox_id = ?",
              successor.value(),
              address,
              target.mailbox().value());
        });
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
    List<String> lonely = lonelyPostmaster(handle, mailbox);
    if (!lonely.isEmpty()) {
      throw new TenantException(
          "mail for %s goes to this mailbox, and every domain takes mail for its postmaster: give it to another user first ('admin user alias %s USER'), then erase mailbox %s"
              .formatted(String.join(", ", lonely), lonely.getFirst(), mailbox));
    }
  }

  private static List<String> lonelyPostmaster(Handle handle, MailboxId mailbox) {
    return handle
        .select(
            "select a.address from address a join domain d on d.name = a.domain"
                + " where a.mailbox_id = ? and a.address = ? || d.name"
                + " and "
                + Validation.SQL
                + " <> 'open' order by 1",
            mailbox.value(),
            Tenants.POSTMASTER + "@")
        .map((row, context) -> row.getString(1))
        .list();
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
