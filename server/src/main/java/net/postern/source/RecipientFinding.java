package net.postern.source;

/** What a source is taken for after it asked for a recipient. */
public sealed interface RecipientFinding {
  RecipientFinding CLEAR = new Clear();

  /** Nothing against it. */
  record Clear() implements RecipientFinding {}

  /**
   * It may be trying out recipients, and must not learn which exist.
   *
   * @param step how often it was suspect, 1 for the first time
   */
  record Suspect(int step) implements RecipientFinding {}

  /** It is on the block list now. */
  record Blocked(Block block) implements RecipientFinding {}
}
