package net.postern.keys;

import java.io.IOException;
import java.time.Instant;
import java.util.UUID;

/**
 * There was such a key, and it was erased on purpose: what it opened is unreadable for ever, in
 * every store. Not a damage, and nothing to try again.
 */
public final class KeyErasedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final UUID id;

  KeyErasedException(UUID id, Instant when) {
    super("key " + id + " was erased at " + when);
    this.id = id;
  }

  /** The key that was erased: the one that was asked for, or the one above it. */
  public UUID id() {
    return id;
  }
}
