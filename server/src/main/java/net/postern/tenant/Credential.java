package net.postern.tenant;

import java.util.Optional;
import net.postern.sasl.ScramKeys;

/**
 * What is kept of a user's password.
 *
 * @param hash Argon2id, see {@link PasswordHash}
 * @param scram empty when SCRAM is not possible with this password
 */
public record Credential(Submitter user, String hash, Optional<ScramKeys> scram) {}
