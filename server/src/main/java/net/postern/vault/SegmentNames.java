package net.postern.vault;

import java.util.UUID;

/**
 * Names of segments. They are random but for the last four bytes, which are taken from the node
 * that writes the segment: so that of a segment which nobody has noted it can be told who may be
 * writing it. Two nodes have the same mark once in four thousand million; then one of them leaves
 * the other's alone for a while, or looks at what the other left, and nothing is lost.
 *
 * @param node that writes
 */
public record SegmentNames(UUID node) {
  private static final int MARK_BITS = 32;
  private static final long MARK = (1L << MARK_BITS) - 1;

  /** A new name. */
  UUID fresh() {
    UUID random = UUID.randomUUID();
    return new UUID(
        random.getMostSignificantBits(), (random.getLeastSignificantBits() & ~MARK) | mark());
  }

  /** Whether a segment was written by this node, at any time. */
  public boolean isMine(UUID segment) {
    return (segment.getLeastSignificantBits() & MARK) == mark();
  }

  private long mark() {
    return (node.getMostSignificantBits() ^ node.getLeastSignificantBits()) & MARK;
  }
}
