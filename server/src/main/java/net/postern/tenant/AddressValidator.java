package net.postern.tenant;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Says of addresses that nobody entered whether they exist, by asking elsewhere. Safe for many
 * threads; may block for as long as a client at RCPT can wait.
 */
@FunctionalInterface
public interface AddressValidator {

  /** Where nobody can be asked: it cannot say. */
  AddressValidator NONE =
      (unlisted, asking, routes) ->
          asking == Directory.Asking.FORBIDDEN
              ? new RecipientLookup.Unasked(
                  unlisted.customer(), unlisted.mailbox(), unlisted.shared())
              : new RecipientLookup.Unavailable("nobody here asks the customer's server");

  /**
   * An address of a domain with {@link Validation#CALLOUT} that nobody entered.
   *
   * @param address as the client wrote it
   * @param base without the detail of a subaddress: who it belongs to
   * @param mailbox of the base, when it was found to exist before
   * @param shared the domain's mailbox for what has none of its own
   * @param acceptUnknown what the customer wants while its server cannot say
   */
  record Unlisted(
      EmailAddress address,
      EmailAddress base,
      CustomerId customer,
      Optional<MailboxId> mailbox,
      Optional<MailboxId> shared,
      boolean acceptUnknown) {}

  /**
   * Found, unknown, or unavailable; with FORBIDDEN unasked, where the server would be asked now.
   *
   * @param asking whether the customer's server may be asked now
   * @param routes tell which server that is
   */
  RecipientLookup validate(Unlisted unlisted, Directory.Asking asking, Routing routes);
}
