package net.postern.vault;

/** Reads messages back. Safe for many threads. */
@FunctionalInterface
public interface MessageReader {

  /**
   * Reads a frame from whichever store gives it first, and checks it.
   *
   * @throws MessageErasedException when the keys of all mailboxes that held it were erased
   * @throws VaultUnavailableException when no store has a copy that authenticates
   */
  MessageFrame read(Place place) throws VaultUnavailableException;
}
