package net.postern.edge.check;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
import net.postern.tenant.RecipientLookup;

/** What customers and users may choose of the checks, by name. */
public final class Choices {
  /** Takes a choice back. */
  public static final String DEFAULT = "default";

  private static final String NUMBER = "1 to 1000";

  private Choices() {}

  /** Every name with what may be chosen. */
  static Map<String, List<String>> all() {
    TreeMap<String, List<String>> all = new TreeMap<>();
    for (About about : documented().all()) {
      if (about.byCustomer()) {
        all.put(about.name(), List.of("on", "off"));
      }
    }
    all.put(SpfCheck.NAME, List.of("note", "refuse", "off"));
    all.put(ListVerdict.THRESHOLD, List.of(NUMBER));
    return all;
  }

  /** The checks for those who only read about them. */
  static Checks documented() {
    return Checks.inOrder(Checks.Parts.of(nobody()));
  }

  /** A directory of nobody. */
  static Directory nobody() {
    return new Directory() {
      @Override
      public RecipientLookup lookup(EmailAddress address) {
        return new RecipientLookup.NotOurs();
      }

      @Override
      public Lookup<Optional<CustomerId>> registeredServer(InetAddress client) {
        return Lookup.of(Optional.empty());
      }
    };
  }

  /**
   * What is wrong with a choice.
   *
   * @return for the person who made it; empty when it is fine
   */
  public static Optional<String> problem(String name, String value) {
    Map<String, List<String>> all = all();
    List<String> values = all.get(name);
    if (values == null) {
      return Optional.of(
          "nobody can choose \"%s\"; there are %s"
              .formatted(name, String.join(", ", all.keySet())));
    }
    boolean fine =
        value.equals(DEFAULT)
            || (values.contains(NUMBER)
                ? value.matches("[1-9]\\d{0,2}|1000")
                : values.contains(value));
    return fine
        ? Optional.empty()
        : Optional.of(
            "%s is %s or %s, not \"%s\""
                .formatted(name, String.join(", ", values), DEFAULT, value));
  }
}
