package net.postern.tenant;

import java.util.List;
import net.postern.address.EmailAddress;

/**
 * What a customer's directory has at one time.
 *
 * @param people without those that are disabled
 */
public record DirectorySnapshot(List<Person> people, List<Group> groups) {
  public DirectorySnapshot {
    people = List.copyOf(people);
    groups = List.copyOf(groups);
  }

  /**
   * Someone with a mailbox.
   *
   * @param entry an id that the entry keeps for life, also when it is renamed
   * @param addresses at least one, the primary one first
   */
  public record Person(String entry, List<EmailAddress> addresses) {
    public Person {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * A group with an address.
   *
   * @param addresses at least one, the primary one first
   * @param members of people, of groups, and of others outside
   */
  public record Group(String entry, List<EmailAddress> addresses, List<EmailAddress> members) {
    public Group {
      addresses = List.copyOf(addresses);
      members = List.copyOf(members);
    }
  }
}
