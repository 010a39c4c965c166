package net.postern.vault;

/** The vault as the rest of Postern uses it. Safe for many threads. */
public interface MessageVault extends MessageReader {

  /**
   * Encrypts a message and waits until it is durable in enough stores (promise 1).
   *
   * @throws VaultUnavailableException when fewer than {@code vault.minimum} stores took it; nothing
   *     may be acknowledged then
   */
  Kept keep(MessageFrame frame) throws VaultUnavailableException, InterruptedException;
}
