package net.postern.tenant;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.keys.KeyErasedException;
import net.postern.keys.KeyLabels;
import net.postern.keys.KeyRing;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
import org.jdbi.v3.core.transaction.TransactionIsolationLevel;

/**
 * Keeps each customer's settings in the stores as well: one parcel {@code settings/CUSTOMER}, so
 * that one store and the master key give them back. A change marks its customer in the same
 * transaction, by triggers; {@link #writeChanged} writes those that are marked. Several processes
 * may run it at once.
 */
public final class Settings {
  /** Customers that are written in one call. */
  private static final int BATCH = 1_000;

  /** First half of the advisory lock that writers of one customer's settings take. */
  private static final int LOCK = 0x50534554;

  /**
   * How far a database that was made again goes ahead: beyond what a store may have that was away,
   * whose older settings would otherwise be taken for the newer ones when it is back.
   */
  private static final long AHEAD = 1L << 32;

  private final Database database;
  private final Replicas stores;
  private final KeyRing keys;
  private final List<SettingsPart> parts;

  /**
   * @param further parts of other packages, in the order in which they can be entered
   */
  public Settings(
      Database database, Replicas stores, KeyRing keys, List<? extends SettingsPart> further) {
    this.database = database;
    this.stores = stores;
    this.keys = keys;
    this.parts = new ArrayList<>(TablePart.OF_TENANTS);
    this.parts.addAll(further);
  }

  /**
   * Writes the settings of every customer that changed since they were last written. A customer
   * that another process writes at this moment is passed over; it stays marked if it changes.
   *
   * @return how many were written
   * @throws IOException when some could not be; those stay marked, the others are written
   */
  public int writeChanged() throws IOException {
    List<CustomerId> changed;
    try {
      changed =
          database.rows(
              "select customer_id from settings_state where written < changed limit ?",
              row -> new CustomerId(row.getObject(1, UUID.class)),
              BATCH);
    } catch (JdbiException e) {
      throw new IOException("the settings cannot be read: " + e.getMessage(), e);
    }
    int written = 0;
    Optional<IOException> failure = Optional.empty();
    for (CustomerId customer : changed) {
      try {
        written += write(customer) ? 1 : 0;
      } catch (IOException | JdbiException e) {
        IOException first =
            failure.orElseGet(
                () ->
                    new IOException(
                        "settings are not in the stores as they are: " + e.getMessage(), e));
        if (failure.isPresent()) {
          first.addSuppressed(e);
        }
        failure = Optional.of(first);
      }
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
    return written;
  }

  /** How many customers' settings have changed and are not yet in the stores. */
  public long waiting() {
    return database
        .row(
            "select count(*) n from settings_state where written < changed",
            row -> row.getLong("n"))
        .orElse(0L);
  }

  private record Content(long generation, byte[] bytes) {}

  private boolean write(CustomerId customer) throws IOException {
    SecretKeySpec key;
    try {
      key = keys.customerKey(customer);
    } catch (KeyErasedException e) {
      // What the stores have of it is unreadable for ever, and so would be what is added.
      database
          .jdbi()
          .useHandle(
              handle ->
                  handle.execute(
                      "update settings_state set written = changed where customer_id = ?",
                      customer.value()));
      return false;
    }
    try (Handle handle = database.jdbi().open()) {
      // Of two writers the slower one must not replace what the faster one read later.
      if (!locked(handle, "pg_try_advisory_lock", customer)) {
        return false;
      }
      try {
        goAbove(handle, customer);
        Content content =
            handle.inTransaction(
                TransactionIsolationLevel.REPEATABLE_READ,
                within -> {
                  long generation =
                      within
                          .createQuery("select changed from settings_state where customer_id = ?")
                          .bind(0, customer.value())
                          .mapTo(Long.class)
                          .one();
                  return new Content(
                      generation, SettingsCodec.encode(within, customer, generation, parts, key));
                });
        stores.put(
            SettingsCodec.object(customer), new Parcel(content.generation(), content.bytes()));
        handle.execute(
            "update settings_state set written = greatest(written, ?) where customer_id = ?",
            content.generation(),
            customer.value());
        return true;
      } finally {
        locked(handle, "pg_advisory_unlock", customer);
      }
    }
  }

  // A database that was put back from an older backup counts from where it was then, and the stores
  // would keep what they have for the newer settings.
  private void goAbove(Handle handle, CustomerId customer) {
    long highest = 0;
    for (ObjectStore store : stores.stores()) {
      highest = Math.max(highest, generation(store, customer));
    }
    handle.execute(
        "update settings_state set changed = ? where customer_id = ? and changed <= ?",
        highest + 1,
        customer.value(),
        highest);
  }

  private static boolean locked(Handle handle, String function, CustomerId customer) {
    return handle
        .createQuery("select " + function + "(?, ?)")
        .bind(0, LOCK)
        .bind(1, customer.value().hashCode())
        .mapTo(Boolean.class)
        .one();
  }

  // ---- back from a store ----

  /** Whether there is no customer. */
  public boolean isEmpty() {
    return database
        .row("select exists (select from customer) there", row -> row.getBoolean("there"))
        .map(there -> !there)
        .orElse(true);
  }

  /**
   * Enters a customer of which a store has keys only: its name, mailboxes, their first addresses
   * and the domains of these. Policy, aliases, servers, routes and legal holds are lacking.
   *
   * @return how many addresses were new
   * @throws IOException when the database does not take them
   */
  public int restore(KeyLabels.Customer customer, List<KeyLabels.Mailbox> mailboxes)
      throws IOException {
    try {
      return database.jdbi().inTransaction(handle -> restore(handle, customer, mailboxes));
    } catch (JdbiException e) {
      throw new IOException(
          "customer %s cannot be entered: %s".formatted(customer.id(), e.getMessage()), e);
    }
  }

  private static int restore(
      Handle handle, KeyLabels.Customer customer, List<KeyLabels.Mailbox> mailboxes) {
    UUID id = customer.id().value();
    handle.execute(
        "insert into customer (id, name) values (?, ?) on conflict do nothing",
        id,
        customer.name());
    int addresses = 0;
    for (KeyLabels.Mailbox each : mailboxes) {
      String domain = each.label().substring(each.label().lastIndexOf('@') + 1);
      handle.execute(
          "insert into mailbox (id, customer_id) values (?, ?) on conflict do nothing",
          each.id().value(),
          id);
      if (each.label().equals(AccountAdmin.SERVERS)) {
        handle.execute(
            "update customer set server_mailbox = ? where id = ? and server_mailbox is null",
            each.id().value(),
            id);
        continue;
      }
      handle.execute(
          "insert into domain (name, customer_id) values (?, ?) on conflict do nothing",
          domain,
          id);
      if (each.label().startsWith("*@")) {
        handle.execute(
            "update domain set catch_all_mailbox = ? where name = ? and customer_id = ?"
                + " and catch_all_mailbox is null",
            each.id().value(),
            domain,
            id);
      } else {
        addresses +=
            handle.execute(
                "insert into address (address, customer_id, mailbox_id, domain)"
                    + " values (?, ?, ?, ?) on conflict do nothing",
                each.label(),
                id,
                each.id().value(),
                domain);
      }
    }
    return addresses;
  }

  /** The customers whose settings a store has. */
  public static List<CustomerId> listed(ObjectStore store) throws IOException {
    List<CustomerId> customers = new ArrayList<>();
    store.list(
        SettingsCodec.KIND,
        each -> {
          String name = each.object().substring(SettingsCodec.KIND.length() + 1);
          try {
            customers.add(CustomerId.parse(name));
          } catch (IllegalArgumentException e) {
            // Nothing of ours.
          }
        });
    return customers;
  }

  /**
   * The generation of a customer's settings in a store.
   *
   * @return 0 when it has none that is whole
   */
  public static long generation(ObjectStore store, CustomerId customer) {
    try {
      return Replicas.read(store, SettingsCodec.object(customer)).generation();
    } catch (IOException e) {
      return 0;
    }
  }

  /**
   * Enters a customer's settings from a store, in one transaction; rows that are there stay.
   *
   * @param above the next parcel gets a generation far above this: the highest that any store has
   * @return how many rows of each part were new; -1 for a part that this program does not know
   * @throws IOException when the parcel is damaged, or holds what the database does not take
   */
  public Map<String, Integer> restore(ObjectStore from, CustomerId customer, long above)
      throws IOException {
    Parcel parcel = Replicas.read(from, SettingsCodec.object(customer));
    SecretKeySpec key = keys.customerKey(customer);
    try {
      return database
          .jdbi()
          .inTransaction(
              handle -> {
                Map<String, Integer> restored =
                    new TreeMap<>(
                        SettingsCodec.restore(handle, customer, parcel.content(), parts, key));
                handle.execute(
                    "insert into settings_state (customer_id, changed) values (?, ?)"
                        + " on conflict (customer_id) do update set"
                        + " changed = greatest(settings_state.changed, excluded.changed)",
                    customer.value(),
                    Math.max(above, parcel.generation()) + AHEAD);
                return restored;
              });
    } catch (JdbiException e) {
      throw new IOException(
          "the settings of customer %s cannot be entered: %s".formatted(customer, e.getMessage()),
          e);
    }
  }
}
