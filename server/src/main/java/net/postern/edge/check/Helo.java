package net.postern.edge.check;

/**
 * What the checks of {@code EHLO} and {@code HELO} look at.
 *
 * @param name what the client calls itself, as it said it
 * @param ahead whether it sent more before it had the reply
 */
public record Helo(Client client, String name, boolean ahead) {

  /** A client that waits for replies. */
  public Helo(Client client, String name) {
    this(client, name, false);
  }
}
