package net.postern.edge.check;

import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.tenant.RecipientLookup;

/** Whose a recipient is, known user or not. */
final class CustomerOf {
  private CustomerOf() {}

  static Optional<CustomerId> of(RecipientLookup lookup) {
    return switch (lookup) {
      case RecipientLookup.Found found -> Optional.of(found.recipient().customer());
      case RecipientLookup.Group group -> Optional.of(group.customer());
      case RecipientLookup.UnknownUser unknown -> Optional.of(unknown.customer());
      case RecipientLookup.Unasked unasked -> Optional.of(unasked.customer());
      case RecipientLookup.Unavailable _ -> Optional.empty();
      case RecipientLookup.NotOurs _ -> Optional.empty();
    };
  }
}
