package net.postern.ledger;

import java.util.List;

/**
 * The short way from intake to delivery: a message that was just recorded is still in memory, so it
 * is delivered without a look at the database or the vault. Implemented by delivery.
 */
public interface Dispatcher {

  /**
   * Asks for room for a message's deliveries.
   *
   * @param bytes size of the message
   * @return false when the node has enough to do, or when there are no deliveries, as of a message
   *     that is held for all its recipients; deliveries are then entered as waiting
   */
  boolean reserve(int deliveries, long bytes);

  /** Hands over deliveries for which room was reserved, after they are recorded. Never blocks. */
  void dispatch(List<LeasedDelivery> deliveries);

  /** Gives reserved room back when recording failed. */
  void cancel(int deliveries, long bytes);
}
