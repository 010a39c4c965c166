package net.postern.edge.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.RecipientPolicy;
import net.postern.tenant.Submitter;

/**
 * What the checks of one {@code RCPT} look at. The directory is asked once, for all of them.
 *
 * @param mail the transaction that it belongs to
 * @param address the forward-path
 * @param lookup what the directory says of it
 * @param policy what the recipient and the customer chose
 * @param sender what their lists say of this sender
 * @param ours whether the client is a customer's registered server, by address or certificate
 * @param takers members of the group who get the mail, each with what that one chose; empty when it
 *     is no group
 * @param leftOut members of the group who do not want this sender's mail; they are no more in the
 *     lookup
 * @param instead while only the customer's server can say who gets the mail: the same question,
 *     should it be the domain's mailbox for all addresses
 * @param submitter who may send to others: the user who logged in, or the registered server, which
 *     is looked for when the recipient is nobody's here
 */
public record Rcpt(
    Mail mail,
    EmailAddress address,
    RecipientLookup lookup,
    RecipientPolicy policy,
    RecipientPolicy.Sender sender,
    boolean ours,
    List<Taker> takers,
    List<LeftOut> leftOut,
    Optional<Rcpt> instead,
    Optional<Submitter> submitter) {

  public Rcpt {
    takers = List.copyOf(takers);
    leftOut = List.copyOf(leftOut);
  }

  /**
   * A member of a group who gets its mail.
   *
   * @param policy what the member and the member's customer chose
   * @param sender what their lists say of this sender
   */
  public record Taker(Recipient member, RecipientPolicy policy, RecipientPolicy.Sender sender) {}

  /** A member of a group whose own list, or whose customer's, has the sender. */
  public record LeftOut(Recipient member, RecipientPolicy.Sender.Blocked by) {}

  /** A recipient who chose nothing. */
  public Rcpt(Mail mail, EmailAddress address, RecipientLookup lookup) {
    this(
        mail,
        address,
        lookup,
        RecipientPolicy.NONE,
        new RecipientPolicy.Sender.Unlisted(),
        false,
        List.of(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  /** The same from someone who may send to others. */
  public Rcpt from(Optional<Submitter> who) {
    return new Rcpt(mail, address, lookup, policy, sender, ours, takers, leftOut, instead, who);
  }

  public Client client() {
    return mail.client();
  }

  /** Whether this recipient always wants this sender's mail, whatever block lists say. */
  public boolean safelisted() {
    return sender instanceof RecipientPolicy.Sender.Safe;
  }

  /** The same while it may turn out to be another recipient who gets the mail. */
  Rcpt or(Rcpt other) {
    return new Rcpt(
        mail,
        address,
        lookup,
        policy,
        sender,
        ours,
        takers,
        leftOut,
        Optional.of(other),
        submitter);
  }

  /**
   * Whether something holds whoever turns out to get the mail. A check refuses only then: it is
   * asked again when that is known.
   */
  boolean surely(Predicate<Rcpt> what) {
    return what.test(this) && instead.filter(what.negate()).isEmpty();
  }

  /**
   * Whether a check that a recipient may do without, or be spared, may refuse: not a server of our
   * customers, not a sender who is always wanted, and not when nobody can say what was chosen.
   *
   * @param check its name
   * @param otherwise whether it may when nobody chose
   */
  boolean mayRefuse(String check, boolean otherwise) {
    return policy.known()
        && policy.on(check, otherwise)
        && !ours
        && !safelisted()
        && customer().isPresent();
  }

  /**
   * For whom what a check found is to weigh nothing either. Each member of a group is asked for:
   * the group's customer decides nothing for another customer's users.
   *
   * @param check its name
   * @param against whether it speaks against the sender
   * @return one clause for each, by the keys of their addresses; without those for whom it weighs
   *     what it does for everybody
   */
  Map<String, String> waivers(String check, boolean against) {
    Map<String, String> all = new HashMap<>(0);
    if (lookup instanceof RecipientLookup.Group) {
      for (Taker each : takers) {
        waiver(check, against, each.policy(), each.sender())
            .ifPresent(why -> all.put(each.member().address().key(), why));
      }
    } else {
      waiver(check, against, policy, sender).ifPresent(why -> all.put(address.key(), why));
    }
    return all;
  }

  private static Optional<String> waiver(
      String check, boolean against, RecipientPolicy policy, RecipientPolicy.Sender sender) {
    if (!policy.on(check, true)) {
      return Optional.of("the recipient or the customer switched " + check + " off");
    }
    return against && sender instanceof RecipientPolicy.Sender.Safe
        ? Optional.of("a safelist of the recipient's has the sender")
        : Optional.empty();
  }

  /** Whose recipient it would be. */
  Optional<CustomerId> customer() {
    return CustomerOf.of(lookup);
  }
}
