package net.postern.vault;

/**
 * The message was erased: the keys of all mailboxes that held it are gone, on purpose and for ever.
 * Its bytes are undamaged; to try again or another store does not help.
 */
public final class MessageErasedException extends VaultUnavailableException {
  private static final long serialVersionUID = 1L;

  MessageErasedException(ErasedException cause) {
    super(String.valueOf(cause.getMessage()), cause);
  }
}
