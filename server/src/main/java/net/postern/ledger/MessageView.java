package net.postern.ledger;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.vault.Place;

/**
 * A message as people ask for it: trace and quarantine.
 *
 * @param place where the vault has it, or had it when it was still kept
 * @param goneSince since when the vault does not keep it any more; its story stays
 */
public record MessageView(
    DeliveryKey key,
    Instant acceptedAt,
    Place place,
    Optional<Instant> goneSince,
    long bytes,
    Optional<String> reversePath,
    String client,
    String helo,
    String verdict,
    double score,
    String findings,
    String recipient,
    DeliveryState state,
    Instant stateSince,
    int attempts,
    String rule,
    String reply,
    List<Step> steps) {

  /** Something that happened on the way. */
  public record Step(Instant at, String event, String recipient, String detail) {}
}
