package net.postern.edge.check;

import net.postern.address.EmailAddress;
import net.postern.tenant.RecipientLookup;

/**
 * What the checks of one {@code RCPT} look at. The directory is asked once, for all of them.
 *
 * @param mail the transaction that it belongs to
 * @param address the forward-path
 * @param lookup what the directory says of it
 */
public record Rcpt(Mail mail, EmailAddress address, RecipientLookup lookup) {

  public Client client() {
    return mail.client();
  }
}
