package net.postern.edge;

/** An address that cannot be listened on. The message names it, the cause, and what to do. */
public final class ListenException extends RuntimeException {
  ListenException(String message, Throwable cause) {
    super(message, cause);
  }
}
