package net.postern.ledger;

/** The database cannot be reached or refuses: try again later. */
public final class LedgerUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  public LedgerUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
