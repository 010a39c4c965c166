package net.postern.tenant;

import java.time.Instant;
import java.util.Optional;

/**
 * A password of one program of a user's, which can be taken back without the others.
 *
 * @param name what the user calls it
 * @param used when it was last used, to some minutes; empty: never
 */
public record AppPassword(String name, Instant created, Optional<Instant> used) {}
