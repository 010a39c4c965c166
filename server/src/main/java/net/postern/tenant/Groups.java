package net.postern.tenant;

import java.util.List;
import java.util.Locale;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import org.jdbi.v3.core.Handle;

/**
 * Changes to groups: addresses whose mail goes to members, each of which is a user, an alias, a
 * group, or somebody outside. A group has a mailbox with a key of its own, for the copies of
 * members outside.
 */
public final class Groups {
  private final Database database;
  private final Tenants tenants;

  public Groups(Database database, Tenants tenants) {
    this.database = database;
    this.tenants = tenants;
  }

  /**
   * A group, for lists.
   *
   * @param unknown those of the members that are addresses of a domain here and do not exist
   */
  public record Listed(String address, String source, List<String> members, List<String> unknown) {
    public Listed {
      members = List.copyOf(members);
      unknown = List.copyOf(unknown);
    }
  }

  /**
   * Adds a group.
   *
   * @param members at least one: mail to a group without any waits at its senders
   */
  public void add(EmailAddress group, List<EmailAddress> members) throws TenantException {
    if (group.localPart().equalsIgnoreCase(Tenants.POSTMASTER)) {
      throw new TenantException(
          "a domain's postmaster is a user or an alias of one; see 'admin alias add'");
    }
    check(group, members);
    CustomerId customer = tenants.customerOf(group);
    MailboxId mailbox = tenants.newMailbox(customer, group.key());
    tenants.change(
        "address " + group,
        handle -> {
          Tenants.insertMailbox(handle, customer, mailbox.value());
          Tenants.insertAddress(handle, group, customer, mailbox.value(), "group");
          insertMembers(handle, customer, group.key(), members);
          return group;
        });
  }

  /** Adds members to a group; those that it has stay. */
  public void addMembers(EmailAddress group, List<EmailAddress> members) throws TenantException {
    check(group, members);
    CustomerId customer = tenants.customerOf(group);
    tenants.change(
        "group " + group,
        handle -> {
          requireGroup(handle, group);
          insertMembers(handle, customer, group.key(), members);
          return group;
        });
  }

  /** Takes members out of a group; one always stays. */
  public void removeMembers(EmailAddress group, List<EmailAddress> members) throws TenantException {
    String[] keys = members.stream().map(EmailAddress::key).toArray(String[]::new);
    tenants.change(
        "group " + group,
        handle -> {
          requireGroup(handle, group);
          int removed =
              handle.execute(
                  "delete from group_member where group_address = ? and member = any(?)",
                  group.key(),
                  keys);
          if (removed < keys.length) {
            throw new IllegalArgumentException(
                "not all of these are members of %s; 'admin group list %s' shows who is"
                    .formatted(group, group.domain()));
          }
          if (count(handle, group.key()) == 0) {
            throw new IllegalArgumentException(
                "%s would have no member, and its mail nowhere to go; 'admin group remove %s' removes it"
                    .formatted(group, group));
          }
          return group;
        });
  }

  /** Takes a group away; mail that it got stays where it is. */
  public void remove(EmailAddress group) throws TenantException {
    tenants.change(
        "group " + group,
        handle -> {
          requireGroup(handle, group);
          return handle.execute("delete from address where address = ?", group.key());
        });
  }

  /** The groups of a domain, in order, each with its members. */
  public List<Listed> list(String domain) {
    return database.rows(
        "select a.address, a.source,"
            + " coalesce(array_agg(m.member order by m.member)"
            + "  filter (where m.member is not null), '{}') members,"
            + " coalesce(array_agg(m.member order by m.member) filter (where m.member is not null"
            + "  and (u.refused_from <= now() or u.address is null and d.name is not null and "
            + Validation.SQL
            + "  = 'listed')), '{}') unknown"
            + " from address a left join group_member m on m.group_address = a.address"
            + " left join address u on u.address = m.member"
            + " left join domain d on d.name = split_part(m.member, '@', -1)"
            + " where a.domain = ? and a.kind = 'group' group by 1, 2 order by 1",
        row ->
            new Listed(
                row.getString("address"),
                row.getString("source"),
                List.of((String[]) row.getArray("members").getArray()),
                List.of((String[]) row.getArray("unknown").getArray())),
        domain.toLowerCase(Locale.ROOT));
  }

  private static void check(EmailAddress group, List<EmailAddress> members) throws TenantException {
    if (members.isEmpty()) {
      throw new TenantException("a group needs at least one member, or its mail has nowhere to go");
    }
    if (members.stream().anyMatch(member -> member.key().equals(group.key()))) {
      throw new TenantException(group + " cannot be a member of itself");
    }
  }

  private static void insertMembers(
      Handle handle, CustomerId customer, String group, List<EmailAddress> members) {
    handle.execute(
        "insert into group_member (group_address, member, customer_id)"
            + " select ?, member, ? from unnest(?::text[]) member on conflict do nothing",
        group,
        customer.value(),
        members.stream().map(EmailAddress::key).toArray(String[]::new));
    if (count(handle, group) > GroupExpansion.MAX_MEMBERS) {
      throw new IllegalArgumentException(
          "a group has at most %d members; divide it".formatted(GroupExpansion.MAX_MEMBERS));
    }
  }

  private static long count(Handle handle, String group) {
    return handle
        .createQuery("select count(*) from group_member where group_address = ?")
        .bind(0, group)
        .mapTo(Long.class)
        .one();
  }

  private static void requireGroup(Handle handle, EmailAddress group) {
    boolean there =
        handle
            .createQuery(
                "select exists (select from address where address = ? and kind = 'group'"
                    + " for update)")
            .bind(0, group.key())
            .mapTo(Boolean.class)
            .one();
    if (!there) {
      throw new IllegalArgumentException(
          "no group %s; 'admin group list %s' shows all".formatted(group, group.domain()));
    }
  }
}
