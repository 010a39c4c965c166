package net.postern.ledger;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.vault.Place;

/** A message as people ask for it: trace and quarantine. */
public record MessageView(
    DeliveryKey key,
    Instant acceptedAt,
    Place place,
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
