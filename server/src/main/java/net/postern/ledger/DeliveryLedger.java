package net.postern.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The ledger as delivery uses it. Safe for many threads. */
public interface DeliveryLedger {

  /**
   * Takes due work: waiting deliveries whose time has come and those whose lease ran out, oldest
   * first. Rows that another node is taking at this moment are passed over.
   *
   * @return at most {@code max}; empty when nothing is due
   * @throws net.postern.ledger.LedgerUnavailableException when the database is away
   */
  List<LeasedDelivery> lease(int max, Duration lease) throws LedgerUnavailableException;

  /** When the next waiting delivery is due; {@link Instant#MAX} when nothing waits. */
  Instant nextDue() throws LedgerUnavailableException;

  /**
   * Enters the outcome of an attempt. Outcomes that arrive together share a transaction; while the
   * database is away they are kept and tried again.
   *
   * @return completes when the outcome is committed
   */
  CompletableFuture<Void> settle(Settlement settlement);
}
