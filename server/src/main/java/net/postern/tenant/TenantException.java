package net.postern.tenant;

/** A change was refused; the message says why, to the person who asked for it. */
public final class TenantException extends Exception {
  private static final long serialVersionUID = 1L;

  public TenantException(String message) {
    super(message);
  }

  public TenantException(String message, Throwable cause) {
    super(message, cause);
  }
}
