package net.postern.tenant;

import java.util.ArrayList;
import java.util.HashSet;
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
 * comes once, whichever way leads to it, so a group that contains itself is no loop. Two queries
 * for each level of usual size, and one for each member that is no exact address of ours.
 *
 * <p>A group of another customer among them gets the mail as it would from anybody: its members are
 * that customer's recipients, by that customer's lists and decisions, its copies for members
 * outside are that customer's, and so is what is wrong with it.
 */
final class GroupExpansion {
  /** Members in the end; further ones get nothing and are reported. */
  static final int MAX_MEMBERS = 5_000;

  /** Groups among them; further ones get nothing and are reported. */
  static final int MAX_GROUPS = 5_000;

  /** Groups within groups; what is deeper gets nothing and is reported. */
  static final int MAX_DEPTH = 10;

  /** Members that one query gives. */
  private static final int PAGE = 5_000;

  /**
   * Whose the copies for members outside are, and whose key opens them; who is told what is wrong.
   * Within a customer that is the group that was asked for; another customer's group is on its own,
   * as if the mail had come to it.
   */
  private record Owner(CustomerId customer, MailboxId mailbox, String group) {}

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
          : new Owner(customer.get(), mailbox.get(), address);
    }
  }

  private record Leaf(Member member, Owner owner) {}

  /** What one owner has to know. */
  private static final class Part {
    private int leaves;
    private final Set<String> cuts = new LinkedHashSet<>();
    private final Set<String> empty = new TreeSet<>();
    private final Set<String> unknown = new TreeSet<>();

    private String said() {
      List<String> said = new ArrayList<>(cuts);
      if (!empty.isEmpty()) {
        said.add("groups without members: " + String.join(", ", empty));
      }
      if (!unknown.isEmpty()) {
        said.add("no such users: " + String.join(", ", unknown));
      }
      return String.join("; ", said);
    }
  }

  /**
   * What is wrong with a group of another customer among the members, for that customer alone.
   *
   * @param said one sentence for people
   */
  record Elsewhere(CustomerId customer, String group, String said) {}

  /**
   * What came of it.
   *
   * @param trouble one sentence for people; empty when every member was found
   * @param elsewhere what is not told to the customer of the group, but to others
   * @param unavailable why some members could not be looked up now
   */
  record Expanded(
      List<Recipient> members,
      String trouble,
      List<Elsewhere> elsewhere,
      Optional<String> unavailable) {}

  private final Database database;
  private final Function<EmailAddress, RecipientLookup> others;
  private final Map<String, Recipient> found = new LinkedHashMap<>();
  private final Map<Owner, Part> parts = new LinkedHashMap<>();
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
    Owner root = new Owner(group.customer(), group.mailbox(), group.group());
    List<Leaf> leaves = leaves(root);
    Set<String> ours = ours(leaves);
    leaves.forEach(each -> add(each, ours));
    List<Elsewhere> elsewhere = new ArrayList<>();
    parts.forEach(
        (owner, part) -> {
          String said = part.said();
          if (!owner.equals(root) && !said.isEmpty()) {
            elsewhere.add(new Elsewhere(owner.customer(), owner.group(), said));
          }
        });
    return new Expanded(
        List.copyOf(found.values()), part(root).said(), List.copyOf(elsewhere), unavailable);
  }

  private Part part(Owner owner) {
    return parts.computeIfAbsent(owner, _ -> new Part());
  }

  // Level by level, and of each level page by page: only who was not there before counts.
  private List<Leaf> leaves(Owner root) {
    Set<String> seen = new HashSet<>(Set.of(root.group()));
    Map<String, Owner> level = Map.of(root.group(), root);
    List<Leaf> leaves = new ArrayList<>();
    int groups = 0;
    for (int depth = 1; !level.isEmpty(); depth++) {
      Map<String, Owner> deeper = new LinkedHashMap<>();
      String after = "";
      List<Member> page;
      do {
        page = members(level.keySet(), after);
        for (Member member : page) {
          after = member.address();
          if (!seen.add(member.address())) {
            continue;
          }
          Owner owner = level.getOrDefault(member.group(), root);
          if (!member.isGroup() || member.refused()) {
            if (leaves.size() == MAX_MEMBERS) {
              // Another customer's where that has as many alone: it would be cut anyway.
              boolean alone = part(owner).leaves == MAX_MEMBERS;
              part(alone ? owner : root).cuts.add("it has more than " + MAX_MEMBERS + " members");
              return leaves;
            }
            part(owner).leaves++;
            leaves.add(new Leaf(member, owner));
          } else if (depth == MAX_DEPTH) {
            part(owner)
                .cuts
                .add(
                    "groups are nested more than "
                        + MAX_DEPTH
                        + " deep"
                        + (owner.equals(root) ? "" : ", counted from a group that it is in"));
          } else if (groups == MAX_GROUPS) {
            part(root).cuts.add("it has more than " + MAX_GROUPS + " groups in it");
          } else {
            groups++;
            deeper.put(member.address(), member.owner(owner));
          }
        }
      } while (page.size() == PAGE);
      for (String each : empty(deeper.keySet())) {
        part(deeper.getOrDefault(each, root)).empty.add(each);
      }
      level = deeper;
    }
    return leaves;
  }

  private void add(Leaf leaf, Set<String> ours) {
    Member member = leaf.member();
    Owner owner = leaf.owner();
    if (member.refused()) {
      lacks(leaf);
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
      case RecipientLookup.Found(Recipient recipient, String _) -> take(recipient);
      // Only by its own address: otherwise a group could contain itself unseen.
      case RecipientLookup.Group _ -> lacks(leaf);
      case RecipientLookup.UnknownUser _ -> lacks(leaf);
      case RecipientLookup.Unasked _ -> lacks(leaf);
      case RecipientLookup.NotOurs _ ->
          take(new Recipient(address, owner.customer(), owner.mailbox()));
      case RecipientLookup.Unavailable(String why) -> unavailable = Optional.of(why);
    }
  }

  // Who is in another customer's group is told to that customer only.
  private void lacks(Leaf leaf) {
    part(leaf.owner()).unknown.add(leaf.member().address());
  }

  private void take(Recipient recipient) {
    found.putIfAbsent(recipient.address().key(), recipient);
  }

  // Each once, however many of the groups have it: the limit is of members, not of rows.
  private List<Member> members(Set<String> groups, String after) {
    return database.rows(
        "select distinct on (m.member) m.group_address, m.member, a.mailbox_id, a.customer_id,"
            + " coalesce(a.kind = 'group', false) is_group,"
            + " coalesce(a.refused_from <= now(), false) refused"
            + " from group_member m left join address a on a.address = m.member"
            + " where m.group_address = any(?) and m.member > ?"
            + " order by m.member, m.group_address limit ?",
        row ->
            new Member(
                row.getString("group_address"),
                row.getString("member"),
                Optional.ofNullable(row.getObject("mailbox_id", UUID.class)).map(MailboxId::new),
                Optional.ofNullable(row.getObject("customer_id", UUID.class)).map(CustomerId::new),
                row.getBoolean("is_group"),
                row.getBoolean("refused")),
        groups.toArray(String[]::new),
        after,
        PAGE);
  }

  private List<String> empty(Set<String> groups) {
    return groups.isEmpty()
        ? List.of()
        : database.rows(
            "select g from unnest(?::text[]) g"
                + " where not exists (select from group_member m where m.group_address = g)",
            row -> row.getString(1),
            (Object) groups.toArray(String[]::new));
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
