package net.postern.tenant;

import java.util.List;
import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/** What the directory knows of an address. */
public sealed interface RecipientLookup {

  /**
   * Mail for it is taken.
   *
   * @param listed the address that is known to exist, in lower case: what somebody entered or the
   *     customer's server said, without the detail of a subaddress. Empty when it is taken like any
   *     other of the domain, existing or not
   */
  record Found(Recipient recipient, String listed) implements RecipientLookup {

    /** Of an address that is known to exist as it is. */
    public Found(Recipient recipient) {
      this(recipient, recipient.address().key());
    }
  }

  /**
   * Mail for it is taken, for each of its members; nothing is recorded for the group itself.
   *
   * @param customer whose group it is
   * @param members at least one, each once, at most {@link GroupExpansion#MAX_MEMBERS}; with
   *     members outside, whose copies the group's own key opens, and with other customers' users
   * @param listed the group's address as it was entered, without the detail of a subaddress
   */
  record Group(CustomerId customer, List<Recipient> members, String listed)
      implements RecipientLookup {
    public Group {
      members = List.copyOf(members);
      if (members.isEmpty()) {
        throw new IllegalArgumentException("mail to a group without members would vanish");
      }
    }
  }

  /** The domain is a customer's, the user is not: {@code 550 5.1.1}. */
  record UnknownUser(CustomerId customer) implements RecipientLookup {}

  /** The domain is nobody's here: taking the mail would be relaying. */
  record NotOurs() implements RecipientLookup {}

  /**
   * Only the customer's server can say, and it was not asked: {@link Directory.Asking#FORBIDDEN}.
   *
   * @param mailbox that the address has here, from what was said of it before
   * @param shared the domain's mailbox for all addresses, which may get the mail of one that has no
   *     mailbox; the address does not belong to its user
   */
  record Unasked(CustomerId customer, Optional<MailboxId> mailbox, Optional<MailboxId> shared)
      implements RecipientLookup {}

  /** The directory cannot say now: {@code 451 4.3.0}, never "unknown". */
  record Unavailable(String why) implements RecipientLookup {}
}
