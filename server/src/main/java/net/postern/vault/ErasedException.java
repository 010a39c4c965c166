package net.postern.vault;

import java.io.IOException;

/** A frame is whole, and the keys of all mailboxes that hold it were erased. */
public final class ErasedException extends IOException {
  private static final long serialVersionUID = 1L;

  ErasedException(String message) {
    super(message);
  }
}
