package net.postern.tenant;

import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/** What the database alone says of an address; see {@link ListingQuery}. */
sealed interface Listing {

  /** Somebody's, or nobody's. */
  record Known(RecipientLookup lookup) implements Listing {}

  /** A group, whose members are to be found. */
  record OfGroup(CustomerId customer, String group, MailboxId mailbox) implements Listing {}

  /** Not entered by anybody, and the domain asks the customer's server. */
  record Unlisted(
      CustomerId customer,
      String base,
      Optional<MailboxId> mailbox,
      Optional<MailboxId> shared,
      boolean acceptUnknown)
      implements Listing {}
}
