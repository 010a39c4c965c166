package net.postern.ledger;

/** Where one delivery (a message to one recipient) stands. The codes are stored: never renumber. */
public enum DeliveryState {
  /** Due at its next-attempt time; no node works on it. */
  WAITING(0),
  /** A node works on it until its lease ends. */
  IN_PROGRESS(1),
  /** In quarantine. */
  HELD(2),
  /** The next hop or the mailbox has it. Final. */
  DELIVERED(3),
  /** Failed for good, and its sender was told where that is due. Final. */
  RETURNED(4),
  /** Ended by a rule or a person, named in the row. Final. */
  REMOVED(5);

  private final int code;

  DeliveryState(int code) {
    this.code = code;
  }

  /** What the database column holds. */
  public int code() {
    return code;
  }

  /** Whether no other state follows. */
  public boolean isFinal() {
    return switch (this) {
      case WAITING, IN_PROGRESS, HELD -> false;
      case DELIVERED, RETURNED, REMOVED -> true;
    };
  }

  /**
   * The state with this code.
   *
   * @throws IllegalArgumentException for a code that no version wrote
   */
  public static DeliveryState of(int code) {
    for (DeliveryState state : values()) {
      if (state.code == code) {
        return state;
      }
    }
    throw new IllegalArgumentException("unknown delivery state " + code);
  }
}
