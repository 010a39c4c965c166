package net.postern.edge.check;

/**
 * What the checks of {@code EHLO} and {@code HELO} look at.
 *
 * @param name what the client calls itself, as it said it
 */
public record Helo(Client client, String name) {}
