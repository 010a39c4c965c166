package net.postern.tenant;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Changes to safelists, blocklists and choices of checks. Every method checks its input and throws
 * {@link TenantException} with a message for the person who asked.
 */
public final class SenderLists {
  /** Entries of one customer or one user. */
  public static final int MAX_ENTRIES = 10_000;

  private final Database database;

  public SenderLists(Database database) {
    this.database = database;
  }

  /**
   * Whose list or choice.
   *
   * @param mailbox empty for the customer's own
   */
  public record Owner(CustomerId customer, Optional<MailboxId> mailbox) {
    private Optional<UUID> box() {
      return mailbox.map(MailboxId::value);
    }
  }

  /** The customer of a mailbox. */
  public Owner ownerOf(MailboxId mailbox) throws TenantException {
    return database
        .row(
            "select customer_id from mailbox where id = ?",
            row ->
                new Owner(
                    new CustomerId(row.getObject("customer_id", UUID.class)), Optional.of(mailbox)),
            mailbox.value())
        .orElseThrow(() -> new TenantException("no mailbox " + mailbox));
  }

  /**
   * Adds an entry; one that is there already gets this kind.
   *
   * @param text as {@link SenderEntry} describes
   * @return the entry in the form in which it is kept
   */
  public SenderEntry add(Owner owner, SenderList.Kind kind, String text) throws TenantException {
    SenderEntry entry = entry(text);
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              // Two commands at once must not get over the bound together.
              handle.execute(
                  "select from customer where id = ? for update", owner.customer().value());
              int there =
                  handle
                      .createQuery(
                          "select count(*) from sender_entry where customer_id = ?"
                              + " and mailbox_id is not distinct from ?::uuid and entry <> ?")
                      .bind(0, owner.customer().value())
                      .bind(1, owner.box().orElse(null))
                      .bind(2, entry.toString())
                      .mapTo(Integer.class)
                      .one();
              if (there >= MAX_ENTRIES) {
                throw new TenantException(
                    "a list has at most %d entries; use domains or networks for many"
                        .formatted(MAX_ENTRIES));
              }
              handle.execute(
                  "insert into sender_entry (customer_id, mailbox_id, entry, kind)"
                      + " values (?, ?::uuid, ?, ?) on conflict (customer_id, mailbox_id, entry)"
                      + " do update set kind = excluded.kind, added_at = now()",
                  owner.customer().value(),
                  owner.box().orElse(null),
                  entry.toString(),
                  kind.name().toLowerCase(Locale.ROOT));
              return entry;
            });
  }

  /** Takes an entry away. */
  public SenderEntry remove(Owner owner, String text) throws TenantException {
    SenderEntry entry = entry(text);
    int gone =
        database
            .jdbi()
            .withHandle(
                handle ->
                    handle.execute(
                        "delete from sender_entry where customer_id = ?"
                            + " and mailbox_id is not distinct from ?::uuid and entry = ?",
                        owner.customer().value(),
                        owner.box().orElse(null),
                        entry.toString()));
    if (gone == 0) {
      throw new TenantException("there is no entry " + entry + "; 'admin list show' shows all");
    }
    return entry;
  }

  /** An entry, for lists. */
  public record Listed(String entry, String kind, String added) {}

  /** The entries, in order. */
  public List<Listed> entries(Owner owner) {
    return database.rows(
        "select entry, kind, date_trunc('second', added_at)::text added from sender_entry"
            + " where customer_id = ? and mailbox_id is not distinct from ?::uuid"
            + " order by kind, entry",
        row -> new Listed(row.getString("entry"), row.getString("kind"), row.getString("added")),
        owner.customer().value(),
        owner.box().orElse(null));
  }

  /**
   * Sets what a check is to do for the owner's recipients. Whether there is such a check is for the
   * caller to know.
   *
   * @param value empty: what the provider, or for a user the customer, set
   */
  public void choose(Owner owner, String name, Optional<String> value) {
    database
        .jdbi()
        .useHandle(
            handle -> {
              if (value.isEmpty()) {
                handle.execute(
                    "delete from check_choice where customer_id = ?"
                        + " and mailbox_id is not distinct from ?::uuid and name = ?",
                    owner.customer().value(),
                    owner.box().orElse(null),
                    name);
                return;
              }
              handle.execute(
                  "insert into check_choice (customer_id, mailbox_id, name, value)"
                      + " values (?, ?::uuid, ?, ?) on conflict (customer_id, mailbox_id, name)"
                      + " do update set value = excluded.value",
                  owner.customer().value(),
                  owner.box().orElse(null),
                  name,
                  value.get());
            });
  }

  /** What was chosen, by name. */
  public Map<String, String> choices(Owner owner) {
    Map<String, String> choices = new TreeMap<>();
    database
        .rows(
            "select name, value from check_choice where customer_id = ?"
                + " and mailbox_id is not distinct from ?::uuid",
            row -> Map.entry(row.getString("name"), row.getString("value")),
            owner.customer().value(),
            owner.box().orElse(null))
        .forEach(each -> choices.put(each.getKey(), each.getValue()));
    return choices;
  }

  private static SenderEntry entry(String text) throws TenantException {
    return SenderEntry.parse(text)
        .orElseThrow(
            () ->
                new TenantException(
                    "\"%s\" is no entry: write an address (ann@example.com), a domain (example.com),"
                            .formatted(text)
                        + " a domain with all below it (.example.com), an IP address or a network"
                        + " (192.0.2.0/24)"));
  }
}
