package net.postern.vault;

/**
 * Something that is not as it should be in a store.
 *
 * @param object the object, or the path of what is none
 * @param detail for people
 */
public record Finding(String store, String object, Damage damage, Outcome outcome, String detail) {

  /** What became of it. */
  public enum Outcome {
    /** It is now as it should be. */
    REPAIRED,
    /** Nothing was to be changed. */
    FOUND,
    /** No copy can heal it, or the store did not take the repair: left as it is, tried again. */
    UNREPAIRED
  }

  @Override
  public String toString() {
    return store
        + " "
        + object
        + " "
        + damage
        + " "
        + outcome
        + (detail.isEmpty() ? "" : ": " + detail);
  }
}
