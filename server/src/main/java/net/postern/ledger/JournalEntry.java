package net.postern.ledger;

import java.time.Instant;

/**
 * What became of a delivery, as the journal in the stores keeps it. Without addresses.
 *
 * @param number orders the entries of one delivery; ascending, with gaps
 * @param state {@link DeliveryState#WAITING} for one that was released, {@link DeliveryState#HELD},
 *     or a final one
 * @param since when the state began
 * @param rule why it was held or removed; empty otherwise
 */
public record JournalEntry(
    long number,
    DeliveryKey delivery,
    DeliveryState state,
    Instant since,
    Instant giveUpAt,
    int attempts,
    String rule) {

  /**
   * Whether this says more of the delivery than another entry of it: an end counts more than what
   * is not one, for it is final; of two alike the later one counts.
   */
  public boolean supersedes(JournalEntry other) {
    if (state.isFinal() != other.state.isFinal()) {
      return state.isFinal();
    }
    return number > other.number;
  }
}
