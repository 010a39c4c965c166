package net.postern.tenant;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Finds who gets the mail of a group: its members, those of groups among them, and so on. Each
 * comes once, whichever way leads to it, so a group that contains itself is no loop. One query for
 * each level, and one for each member that is no exact address of ours.
 *
 * <p>A group of another customer among them gets the mail as it would from anybody: its members are
 * that customer's recipients, by that customer's lists and decisions, and its copies for members
 * outside are that customer's.
 */
final class GroupExpansion {
  /** Members in the end; further ones get nothing and are reported. */
  static final int MAX_MEMBERS = 5_000;

  /** Groups within groups; what is deeper gets nothing and is reported. */
  static final int MAX_DEPTH = 10;

  /**
   * Whose the copies for members outside are, and whose key opens them. Within a customer that is
   * the group that was asked for; another customer's group is on its own, as if the mail had come
   * to it.
   */
  private record Owner(CustomerId customer, MailboxId mailbox) {}

  private record Member(
      String group,
      String address,
      Optional<MailboxId> mailbox,
      Optional<CustomerId> customer,
      boolean isGroup,
      boolean refused) {

    // Of a group within one that has this owner.
    Owner owner(Owner around) {
      return customer.isEmpty() || mailbox.isEmpty() || customer.get().equals(around.customer())
          ? around
          : new Owner(customer.get(), mailbox.get());
    }
  }

  /**
   * What came of it.
   *
   * @param trouble one sentence for people; empty when every member was found
   * @param unavailable why some members could not be looked up now
   */
  record Expanded(List<Recipient> members, String trouble, Optional<String> unavailable) {}

  private final Database database;
  private final Function<EmailAddress, RecipientLookup> others;

  private record Leaf(Member member, Owner owner) {}

  private final Map<String, Recipient> found = new LinkedHashMap<>();
  private final Set<String> unknown = new TreeSet<>();
  private final List<String> troubles = new ArrayList<>();
  private Optional<String> unavailable = Optional.empty();

  /**
   * @param others looks up members that are no exact address of ours, without asking anybody
   */
  GroupExpansion(Database database, Function<EmailAddress, RecipientLookup> others) {
    this.database = database;
    this.others = others;
  }

  /** The members of one group. */
  Expanded expand(Listing.OfGroup group) {
    Set<String> seen = new LinkedHashSet<>(List.of(group.group()));
    Map<String, Owner> level = Map.of(group.group(), ofRoot(group));
    List<Leaf> leaves = new ArrayList<>();
    int depth = 0;
    while (!level.isEmpty() && leaves.size() <= MAX_MEMBERS) {
      if (++depth > MAX_DEPTH) {
        troubles.add("groups are nested more than " + MAX_DEPTH + " deep");
        break;
      }
      Map<String, Owner> deeper = new LinkedHashMap<>();
      for (Member member : members(level.keySet())) {
        if (!seen.add(member.address())) {
          continue;
        }
        Owner owner = level.getOrDefault(member.group(), ofRoot(group));
        if (member.isGroup() && !member.refused()) {
          deeper.put(member.address(), member.owner(owner));
        } else {
          leaves.add(new Leaf(member, owner));
        }
      }
      level = deeper;
    }
    Set<String> ours = ours(leaves);
    for (Leaf leaf : leaves) {
      if (found.size() == MAX_MEMBERS) {
        troubles.add("it has more than " + MAX_MEMBERS + " members");
        break;
      }
      add(group, leaf, ours);
    }
    if (!unknown.isEmpty()) {
      troubles.add("no such users: " + String.join(", ", unknown));
    }
    return new Expanded(List.copyOf(found.values()), String.join("; ", troubles), unavailable);
  }

  private static Owner ofRoot(Listing.OfGroup group) {
    return new Owner(group.customer(), group.mailbox());
  }

  private void add(Listing.OfGroup group, Leaf leaf, Set<String> ours) {
    Member member = leaf.member();
    Owner owner = leaf.owner();
    // Who is in another customer's group is told to that customer only.
    boolean told = owner.customer().equals(group.customer());
    if (member.refused()) {
      lacks(member, told);
      return;
    }
    int at = member.address().lastIndexOf('@');
    EmailAddress address =
        new EmailAddress(member.address().substring(0, at), member.address().substring(at + 1));
    if (member.mailbox().isPresent() && member.customer().isPresent()) {
      take(new Recipient(address, member.customer().get(), member.mailbox().get()));
      return;
    }
    if (!ours.contains(address.domain())) {
      take(new Recipient(address, owner.customer(), owner.mailbox()));
      return;
    }
    switch (others.apply(address)) {
      case RecipientLookup.Found(Recipient recipient) -> take(recipient);
      // Only by its own address: otherwise a group could contain itself unseen.
      case RecipientLookup.Group _ -> lacks(member, told);
      case RecipientLookup.UnknownUser _ -> lacks(member, told);
      case RecipientLookup.Unasked _ -> lacks(member, told);
      case RecipientLookup.NotOurs _ ->
          take(new Recipient(address, owner.customer(), owner.mailbox()));
      case RecipientLookup.Unavailable(String why) -> unavailable = Optional.of(why);
    }
  }

  private void lacks(Member member, boolean told) {
    if (told) {
      unknown.add(member.address());
    }
  }

  private void take(Recipient recipient) {
    found.putIfAbsent(recipient.address().key(), recipient);
  }

  private List<Member> members(Set<String> groups) {
    return database.rows(
        "select m.group_address, m.member, a.mailbox_id, a.customer_id, coalesce(a.kind = 'group', false) is_group,"
            + " coalesce(a.refused_from <= now(), false) refused"
            + " from group_member m left join address a on a.address = m.member"
            + " where m.group_address = any(?) order by m.member limit ?",
        row ->
            new Member(
                row.getString("group_address"),
                row.getString("member"),
                Optional.ofNullable(row.getObject("mailbox_id", UUID.class)).map(MailboxId::new),
                Optional.ofNullable(row.getObject("customer_id", UUID.class)).map(CustomerId::new),
                row.getBoolean("is_group"),
                row.getBoolean("refused")),
        groups.toArray(String[]::new),
        MAX_MEMBERS + 1);
  }

  private Set<String> ours(List<Leaf> leaves) {
    String[] domains =
        leaves.stream()
            .map(Leaf::member)
            .filter(each -> each.mailbox().isEmpty())
            .map(each -> each.address().substring(each.address().lastIndexOf('@') + 1))
            .distinct()
            .toArray(String[]::new);
    return domains.length == 0
        ? Set.of()
        : Set.copyOf(
            database.rows(
                "select name from domain where name = any(?)",
                row -> row.getString(1),
                (Object) domains));
  }
}
