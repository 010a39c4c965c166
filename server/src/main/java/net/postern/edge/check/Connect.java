package net.postern.edge.check;

/** What the checks of a connection look at. */
public record Connect(Client client) {}
