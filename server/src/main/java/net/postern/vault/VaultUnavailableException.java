package net.postern.vault;

/**
 * Fewer stores than {@code vault.minimum} took the frame, or none could give it: try again later.
 */
public sealed class VaultUnavailableException extends Exception permits MessageErasedException {
  private static final long serialVersionUID = 1L;

  public VaultUnavailableException(String message) {
    super(message);
  }

  public VaultUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
