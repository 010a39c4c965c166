package net.postern.vault;

/** Sorts of damage that a check of the stores can find. */
public enum Damage {
  /** The store has no copy. */
  MISSING,
  /** The copy ends too early. */
  TRUNCATED,
  /** Bytes of the copy are not what was written. */
  DAMAGED,
  /** The copy is that of another object. */
  SWAPPED,
  /** The copy is one that was replaced since. */
  OUTDATED,
  /** The copy ends with what a crash left of a write. */
  TORN,
  /** Something that Postern did not write. */
  FOREIGN,
  /** Something that was to be removed when it had served. */
  LEFTOVER
}
