package net.postern.vault;

/** The vault as the rest of Postern uses it. Safe for many threads. */
public interface MessageVault {

  /**
   * Encrypts a message and waits until it is durable in enough stores (promise 1).
   *
   * @throws VaultUnavailableException when fewer than {@code vault.minimum} stores took it; nothing
   *     may be acknowledged then
   */
  Kept keep(MessageFrame frame) throws VaultUnavailableException, InterruptedException;

  /**
   * Reads a frame back from whichever store gives it first, and checks it.
   *
   * @throws VaultUnavailableException when no store has a copy that authenticates
   */
  MessageFrame read(Place place) throws VaultUnavailableException;
}
