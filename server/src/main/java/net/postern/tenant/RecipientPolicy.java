package net.postern.tenant;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import net.postern.address.EmailAddress;

/**
 * What a recipient and the recipient's customer want of the checks at the edge. What the user says
 * goes before what the customer says.
 *
 * @param known false when the database could not say: then nobody chose anything
 * @param user of the recipient
 * @param customer of the recipient's customer
 */
public record RecipientPolicy(boolean known, Owner user, Owner customer) {
  /** Nobody said anything. */
  public static final RecipientPolicy NONE = new RecipientPolicy(true, Owner.NONE, Owner.NONE);

  /** It could not be found out what they said. */
  public static final RecipientPolicy UNKNOWN = new RecipientPolicy(false, Owner.NONE, Owner.NONE);

  /**
   * What one of them said.
   *
   * @param choices by name of the check or of its setting
   */
  public record Owner(SenderList senders, Map<String, String> choices) {
    /** Nothing. */
    public static final Owner NONE = new Owner(SenderList.EMPTY, Map.of());

    public Owner {
      choices = Map.copyOf(choices);
    }
  }

  /** What the lists say of a sender. */
  public sealed interface Sender {
    /** Nothing. */
    record Unlisted() implements Sender {}

    /** Always wanted: overrides block lists and greylisting. */
    record Safe(SenderEntry entry, boolean byUser) implements Sender {}

    /** Never wanted. */
    record Blocked(SenderEntry entry, boolean byUser) implements Sender {}

    /** It says that it is one that is always wanted, and nothing proves it. */
    record Untrusted(SenderEntry entry, boolean byUser) implements Sender {}
  }

  /** What was chosen, if anything was. */
  public Optional<String> choice(String name) {
    String value = user.choices().get(name);
    return Optional.ofNullable(value != null ? value : customer.choices().get(name));
  }

  /** Whether it was chosen that something runs. */
  public boolean on(String name, boolean otherwise) {
    return choice(name).map(value -> !value.equals("off")).orElse(otherwise);
  }

  /**
   * What the lists say of a sender. The user's list is asked first, then the customer's; in each
   * the narrowest entry decides. A safelist's address or domain counts only for a sender who is
   * proven to be it: one who is not is looked at as if the entry were not there. Networks need no
   * proof, for a TCP client's address is not forged.
   *
   * @param proven whether the reverse-path's domain was authenticated; asked only when it matters
   */
  public Sender sender(
      InetAddress client, Optional<EmailAddress> reversePath, BooleanSupplier proven) {
    Sender otherwise = new Sender.Unlisted();
    for (boolean byUser : List.of(true, false)) {
      SenderList list = byUser ? user.senders() : customer.senders();
      for (SenderList.Line line : list.about(client, reversePath)) {
        if (line.kind() == SenderList.Kind.BLOCK) {
          return new Sender.Blocked(line.entry(), byUser);
        }
        if (line.entry() instanceof SenderEntry.Clients || proven.getAsBoolean()) {
          return new Sender.Safe(line.entry(), byUser);
        }
        otherwise = new Sender.Untrusted(line.entry(), byUser);
      }
    }
    return otherwise;
  }
}
