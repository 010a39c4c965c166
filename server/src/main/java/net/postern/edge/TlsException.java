package net.postern.edge;

/** A certificate or key that cannot be used. The message names the file and what to do. */
public final class TlsException extends RuntimeException {
  TlsException(String message) {
    super(message);
  }

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }
}
