package net.postern.keys;

import java.io.IOException;

/**
 * A key record is damaged or forged: whatever keys are configured, it is none of ours. Not thrown
 * for a record whose parent's key is not to be had, of which nothing can be told.
 */
final class UntrustedKeyException extends IOException {
  private static final long serialVersionUID = 1L;

  UntrustedKeyException(String message) {
    super(message);
  }

  UntrustedKeyException(String message, Throwable cause) {
    super(message, cause);
  }
}
