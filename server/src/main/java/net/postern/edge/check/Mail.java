package net.postern.edge.check;

import java.util.Optional;
import net.postern.address.EmailAddress;

/**
 * What the checks of {@code MAIL} look at.
 *
 * @param helo what the client calls itself
 * @param reversePath empty for the null reverse-path
 */
public record Mail(Client client, String helo, Optional<EmailAddress> reversePath) {}
