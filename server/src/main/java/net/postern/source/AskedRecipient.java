package net.postern.source;

/**
 * A recipient that a client asked for.
 *
 * @param domain one of ours
 * @param known whether it exists
 * @param name one text for all addresses that count as one: without the detail of a subaddress
 *     where it exists. Empty for one that exists and says nothing about who asks: everybody knows
 *     it, or the domain takes whatever it is asked for
 */
public record AskedRecipient(String domain, boolean known, String name) {
  public AskedRecipient {
    if (!known && name.isEmpty()) {
      throw new IllegalArgumentException("a recipient that does not exist has a name");
    }
  }
}
