package net.postern.vault;

/**
 * A frame is durable.
 *
 * @param copies in how many stores it is now; stores that were down get theirs later
 */
public record Kept(Place place, int copies) {}
