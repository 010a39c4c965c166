package net.postern.tenant;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import org.jdbi.v3.core.Handle;

/**
 * Makes a customer's addresses what its directory has, in one transaction.
 *
 * <ul>
 *   <li>Addresses that a person entered here are never touched.
 *   <li>An entry keeps its mailbox for life, also under other addresses. An address that goes to
 *       another entry takes that one's mailbox: nobody gets the mail of who had it before.
 *   <li>Who is gone or disabled is refused after the grace; mailbox and mail stay. Who comes back
 *       within or after it has the same mailbox.
 *   <li>When too many entries, people or addresses are gone at once nothing is changed: a directory
 *       that answers with half of them is broken more often than it is right.
 * </ul>
 */
public final class DirectorySync {
  /** So many may always be gone at once, unless they were all. */
  static final int FEW = 5;

  /** First half of the advisory lock that syncs of one customer take in turn. */
  private static final int LOCK = 0x50444952;

  private final Database database;
  private final Tenants tenants;

  public DirectorySync(Database database, Tenants tenants) {
    this.database = database;
    this.tenants = tenants;
  }

  /**
   * What a sync changed.
   *
   * @param users entries with an address in one of the customer's domains
   * @param groups likewise
   * @param added addresses that are new or taken again
   * @param ending addresses that are refused after the grace
   * @param conflicts for people: addresses that were left as they are
   */
  public record Applied(int users, int groups, int added, int ending, List<String> conflicts) {
    public Applied {
      conflicts = List.copyOf(conflicts);
    }
  }

  private record Row(UUID mailbox, String kind, String source, boolean ending) {}

  private record Entry(UUID mailbox, boolean present) {}

  /** What the database has of a customer. */
  private record State(Set<String> domains, Map<String, Row> rows, Map<String, Entry> entries) {}

  /** An entry with what of it is ours. */
  private record Wanted(String entry, boolean group, List<String> addresses, Set<String> members) {}

  /**
   * Applies a snapshot.
   *
   * @param acceptShrink whether a person has said that so many are really gone
   * @throws TenantException when it was not applied; nothing is changed then
   */
  public Applied apply(DirectorySource source, DirectorySnapshot snapshot, boolean acceptShrink)
      throws TenantException {
    CustomerId customer = source.customer();
    State before = database.jdbi().withHandle(handle -> state(handle, customer));
    List<String> conflicts = new ArrayList<>();
    List<Wanted> wanted = wanted(before, snapshot, conflicts);
    if (!acceptShrink) {
      guard(source, before, snapshot, wanted);
    }
    // Keys are made before the transaction, as for any mailbox: one that nothing uses is no harm.
    Map<String, UUID> fresh = new HashMap<>();
    Map<String, UUID> mailboxes = mailboxes(before, wanted);
    for (Wanted each : wanted) {
      if (!mailboxes.containsKey(each.entry())) {
        fresh.put(each.entry(), tenants.newMailbox(customer, each.addresses().getFirst()).value());
      }
    }
    return tenants.change(
        "the directory",
        handle -> {
          handle.execute("select pg_advisory_xact_lock(?, ?)", LOCK, customer.value().hashCode());
          return write(handle, source, wanted, fresh, conflicts);
        });
  }

  // By entries, by people and by addresses: a filter that lost the people leaves many groups, and
  // an account that may no longer read an attribute leaves every entry.
  private static void guard(
      DirectorySource source, State before, DirectorySnapshot snapshot, List<Wanted> wanted)
      throws TenantException {
    Set<UUID> ofGroups = new HashSet<>();
    Set<UUID> ofPeople = new HashSet<>();
    Set<String> addresses = new HashSet<>();
    before
        .rows()
        .forEach(
            (address, row) -> {
              if (row.kind().equals("group")) {
                ofGroups.add(row.mailbox());
              }
              if (row.source().equals("ldap") && !row.ending()) {
                addresses.add(address);
                if (!row.kind().equals("group")) {
                  ofPeople.add(row.mailbox());
                }
              }
            });
    Set<String> entriesNow = new HashSet<>();
    Set<String> peopleNow = new HashSet<>();
    Set<String> addressesNow = new HashSet<>();
    for (Wanted each : wanted) {
      entriesNow.add(each.entry());
      if (!each.group()) {
        peopleNow.add(each.entry());
      }
      addressesNow.addAll(each.addresses());
    }
    Set<String> there = new HashSet<>();
    snapshot.people().forEach(each -> there.add(each.entry()));
    snapshot.groups().forEach(each -> there.add(each.entry()));
    Set<String> entries = new HashSet<>();
    Set<String> people = new HashSet<>();
    before
        .entries()
        .forEach(
            (id, entry) -> {
              if (entry.present()) {
                entries.add(id);
                // One without addresses of its own, since a person entered them here, may be
                // either.
                boolean person =
                    peopleNow.contains(id)
                        || !there.contains(id)
                        || ofPeople.contains(entry.mailbox());
                if (person && !ofGroups.contains(entry.mailbox())) {
                  people.add(id);
                }
              }
            });
    guard(source, "entries", entries, entriesNow);
    guard(source, "people", people, peopleNow);
    guard(source, "addresses", addresses, addressesNow);
  }

  private static void guard(DirectorySource source, String what, Set<String> known, Set<String> now)
      throws TenantException {
    long gone = known.stream().filter(each -> !now.contains(each)).count();
    boolean empty = !known.isEmpty() && now.isEmpty();
    if (empty || (gone > FEW && gone * 100 > (long) known.size() * source.maxGone())) {
      throw new TenantException(
          "%d of %d %s would be gone, so nothing was changed; when they are, 'admin ldap sync --accept-shrink' applies it"
              .formatted(gone, known.size(), what));
    }
  }

  private static State state(Handle handle, CustomerId customer) {
    UUID id = customer.value();
    Set<String> domains =
        handle
            .createQuery("select name from domain where customer_id = ?")
            .bind(0, id)
            .mapTo(String.class)
            .set();
    Map<String, Row> rows = new HashMap<>();
    handle
        .createQuery(
            "select address, mailbox_id, kind, source, refused_from is not null ending"
                + " from address where customer_id = ?")
        .bind(0, id)
        .map(
            (row, context) ->
                Map.entry(
                    row.getString("address"),
                    new Row(
                        row.getObject("mailbox_id", UUID.class),
                        row.getString("kind"),
                        row.getString("source"),
                        row.getBoolean("ending"))))
        .forEach(each -> rows.put(each.getKey(), each.getValue()));
    Map<String, Entry> entries = new HashMap<>();
    handle
        .createQuery(
            "select e.entry, e.mailbox_id, e.present from directory_entry e"
                + " join mailbox m on m.id = e.mailbox_id"
                + " where e.customer_id = ? and m.erased_at is null")
        .bind(0, id)
        .map(
            (row, context) ->
                Map.entry(
                    row.getString("entry"),
                    new Entry(row.getObject("mailbox_id", UUID.class), row.getBoolean("present"))))
        .forEach(each -> entries.put(each.getKey(), each.getValue()));
    return new State(domains, rows, entries);
  }

  private static List<Wanted> wanted(
      State state, DirectorySnapshot snapshot, List<String> conflicts) {
    Set<String> taken = new HashSet<>();
    List<Wanted> wanted = new ArrayList<>();
    for (DirectorySnapshot.Person each : snapshot.people()) {
      List<String> ours = ours(state, each.addresses(), taken, conflicts);
      if (!ours.isEmpty()) {
        wanted.add(new Wanted(each.entry(), false, ours, Set.of()));
      }
    }
    for (DirectorySnapshot.Group each : snapshot.groups()) {
      List<String> ours = ours(state, each.addresses(), taken, conflicts);
      Set<String> members = new LinkedHashSet<>();
      each.members().forEach(member -> members.add(member.key()));
      ours.forEach(members::remove);
      if (!ours.isEmpty() && !members.isEmpty()) {
        wanted.add(new Wanted(each.entry(), true, ours, members));
      }
    }
    return wanted;
  }

  private static List<String> ours(
      State state, List<EmailAddress> addresses, Set<String> taken, List<String> conflicts) {
    List<String> ours = new ArrayList<>();
    for (EmailAddress each : addresses) {
      if (state.domains().contains(each.domain()) && !ours.contains(each.key())) {
        if (taken.add(each.key())) {
          ours.add(each.key());
        } else {
          conflicts.add(each.key() + " is in several entries, and goes to the first");
        }
      }
    }
    return ours;
  }

  // By entry. One that is new takes over a mailbox of an address that somebody entered here, or a
  // callout found, unless that is another entry's.
  private static Map<String, UUID> mailboxes(State state, List<Wanted> wanted) {
    Map<String, UUID> mailboxes = new HashMap<>();
    Set<UUID> owned = new HashSet<>();
    state.entries().forEach((entry, known) -> owned.add(known.mailbox()));
    for (Wanted each : wanted) {
      Entry known = state.entries().get(each.entry());
      if (known != null) {
        mailboxes.put(each.entry(), known.mailbox());
        continue;
      }
      Optional<UUID> adopted =
          each.addresses().stream()
              .flatMap(address -> Optional.ofNullable(state.rows().get(address)).stream())
              .filter(row -> row.kind().equals("group") == each.group())
              .map(Row::mailbox)
              .filter(mailbox -> !owned.contains(mailbox))
              .findFirst();
      if (adopted.isPresent()) {
        owned.add(adopted.get());
        mailboxes.put(each.entry(), adopted.get());
      }
    }
    return mailboxes;
  }

  private static Applied write(
      Handle handle,
      DirectorySource source,
      List<Wanted> wanted,
      Map<String, UUID> fresh,
      List<String> conflicts) {
    UUID customer = source.customer().value();
    State state = state(handle, source.customer());
    Map<String, UUID> mailboxes = mailboxes(state, wanted);
    List<UUID> made = new ArrayList<>();
    for (Wanted each : wanted) {
      if (!mailboxes.containsKey(each.entry())) {
        UUID mailbox = fresh.get(each.entry());
        if (mailbox == null) {
          throw new IllegalArgumentException(
              "addresses were changed meanwhile; the next sync applies it");
        }
        mailboxes.put(each.entry(), mailbox);
        made.add(mailbox);
      }
    }
    handle.execute(
        "insert into mailbox (id, customer_id) select unnest(?::uuid[]), ?", ids(made), customer);
    Map<String, Row> change = new LinkedHashMap<>();
    Set<String> desired = new HashSet<>();
    Set<String> groups = new LinkedHashSet<>();
    List<String> groupOf = new ArrayList<>();
    List<String> members = new ArrayList<>();
    for (Wanted each : wanted) {
      UUID mailbox = java.util.Objects.requireNonNull(mailboxes.get(each.entry()));
      for (int i = 0; i < each.addresses().size(); i++) {
        String address = each.addresses().get(i);
        String kind = each.group() ? "group" : i == 0 ? "user" : "alias";
        desired.add(address);
        Row row = state.rows().get(address);
        if (row != null && row.source().equals("admin")) {
          if (!row.mailbox().equals(mailbox)) {
            conflicts.add(address + " was entered here and stays as it is");
          }
          continue;
        }
        Row now = new Row(mailbox, kind, "ldap", false);
        if (!now.equals(row)) {
          change.put(address, now);
        }
        if (each.group()) {
          groups.add(address);
          // A further address of a group leads to the first.
          Set<String> its = i == 0 ? each.members() : Set.of(each.addresses().getFirst());
          for (String member : its) {
            groupOf.add(address);
            members.add(member);
          }
        }
      }
    }
    upsert(handle, customer, change);
    replaceMembers(handle, customer, groups, groupOf, members);
    List<String> ending = new ArrayList<>();
    state
        .rows()
        .forEach(
            (address, row) -> {
              if (row.source().equals("ldap") && !row.ending() && !desired.contains(address)) {
                ending.add(address);
              }
            });
    handle.execute(
        "update address set refused_from = now() + make_interval(secs => ?)"
            + " where address = any(?) and customer_id = ?",
        source.grace().toSeconds(),
        ending.toArray(String[]::new),
        customer);
    entries(handle, customer, state, mailboxes);
    return new Applied(
        (int) wanted.stream().filter(each -> !each.group()).count(),
        (int) wanted.stream().filter(Wanted::group).count(),
        change.size(),
        ending.size(),
        conflicts);
  }

  // In one statement: every statement counts as a change of the customer's settings.
  private static void upsert(Handle handle, UUID customer, Map<String, Row> change) {
    if (change.isEmpty()) {
      return;
    }
    handle.execute(
        "insert into address (address, customer_id, mailbox_id, domain, kind, source)"
            + " select a, ?, m, substring(a from '[^@]*$'), k, 'ldap'"
            + " from unnest(?::text[], ?::uuid[], ?::text[]) as t (a, m, k)"
            + " on conflict (address) do update set mailbox_id = excluded.mailbox_id,"
            + " kind = excluded.kind, source = 'ldap', refused_from = null"
            + " where address.customer_id = excluded.customer_id and address.source <> 'admin'",
        customer,
        change.keySet().toArray(String[]::new),
        ids(change.values().stream().map(Row::mailbox).toList()),
        change.values().stream().map(Row::kind).toArray(String[]::new));
  }

  private static void replaceMembers(
      Handle handle,
      UUID customer,
      Set<String> groups,
      List<String> groupOf,
      List<String> members) {
    String[] of = groupOf.toArray(String[]::new);
    String[] who = members.toArray(String[]::new);
    handle.execute(
        "delete from group_member g using address a where g.customer_id = ?"
            + " and a.address = g.group_address and (a.kind <> 'group' or (g.group_address = any(?)"
            + " and (g.group_address, g.member) not in"
            + " (select * from unnest(?::text[], ?::text[]))))",
        customer,
        groups.toArray(String[]::new),
        of,
        who);
    handle.execute(
        "insert into group_member (group_address, member, customer_id)"
            + " select g, m, ? from unnest(?::text[], ?::text[]) as t (g, m)"
            + " on conflict do nothing",
        customer,
        of,
        who);
  }

  private static void entries(
      Handle handle, UUID customer, State state, Map<String, UUID> mailboxes) {
    List<String> changed = new ArrayList<>();
    mailboxes.forEach(
        (entry, mailbox) -> {
          if (!new Entry(mailbox, true).equals(state.entries().get(entry))) {
            changed.add(entry);
          }
        });
    if (!changed.isEmpty()) {
      handle.execute(
          "insert into directory_entry (customer_id, entry, mailbox_id, present)"
              + " select ?, e, m, true from unnest(?::text[], ?::uuid[]) as t (e, m)"
              + " on conflict (customer_id, entry) do update set"
              + " mailbox_id = excluded.mailbox_id, present = true",
          customer,
          changed.toArray(String[]::new),
          ids(changed.stream().map(mailboxes::get).toList()));
    }
    List<String> gone = new ArrayList<>();
    state
        .entries()
        .forEach(
            (entry, known) -> {
              if (known.present() && !mailboxes.containsKey(entry)) {
                gone.add(entry);
              }
            });
    if (!gone.isEmpty()) {
      handle.execute(
          "update directory_entry set present = false where customer_id = ? and entry = any(?)",
          customer,
          gone.toArray(String[]::new));
    }
  }

  private static String[] ids(List<UUID> ids) {
    return ids.stream().map(UUID::toString).toArray(String[]::new);
  }
}
