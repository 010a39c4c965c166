package net.postern.edge.check;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Submitter;

/**
 * What the checks of one {@code RCPT} look at. The directory is asked once, for all of them.
 *
 * @param mail the transaction that it belongs to
 * @param address the forward-path
 * @param lookup what the directory says of it
 * @param submitter who may send to others: the user who logged in, or the registered server, which
 *     is looked for when the recipient is nobody's here
 */
public record Rcpt(
    Mail mail, EmailAddress address, RecipientLookup lookup, Optional<Submitter> submitter) {

  /** From someone who may send to our customers only. */
  public Rcpt(Mail mail, EmailAddress address, RecipientLookup lookup) {
    this(mail, address, lookup, Optional.empty());
  }

  public Client client() {
    return mail.client();
  }
}
