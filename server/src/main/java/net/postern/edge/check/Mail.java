package net.postern.edge.check;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.tenant.Submitter;

/**
 * What the checks of {@code MAIL} look at.
 *
 * @param helo what the client calls itself
 * @param reversePath empty for the null reverse-path
 * @param submitter the user who logged in
 */
public record Mail(
    Client client, String helo, Optional<EmailAddress> reversePath, Optional<Submitter> submitter) {

  /** Where nobody logged in. */
  public Mail(Client client, String helo, Optional<EmailAddress> reversePath) {
    this(client, helo, reversePath, Optional.empty());
  }
}
