package net.postern.ledger;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.vault.Place;

/**
 * One customer's view of an accepted message, as it is first entered. A message to two customers is
 * two records over one frame.
 *
 * @param origin how it came in
 * @param client textual IP address of the sending server; empty when Postern wrote the message
 * @param findings names and scores as JSON, for trace and quarantine
 */
public record MessageRecord(
    CustomerId customer,
    MessageId id,
    Instant acceptedAt,
    Origin origin,
    Place place,
    long bytes,
    boolean utf8,
    Optional<EmailAddress> reversePath,
    String client,
    String helo,
    String verdict,
    double score,
    String findings,
    List<NewDelivery> deliveries) {

  /** The place of a record whose message the vault does not have yet. */
  public static final Place UNPLACED = new Place(new UUID(0, 0), 0, 0);

  /** How a message came to be ours. The codes are stored: never renumber. */
  public enum Origin {
    /** Over SMTP from another server. */
    SMTP(0),
    /** A delivery status notification that Postern wrote. */
    REPORT(1);

    private final int code;

    Origin(int code) {
      this.code = code;
    }

    public int code() {
      return code;
    }
  }

  /**
   * A recipient, and the state its delivery starts in.
   *
   * @param state {@link DeliveryState#WAITING}, {@link DeliveryState#IN_PROGRESS} (this node
   *     delivers at once), {@link DeliveryState#HELD} or {@link DeliveryState#REMOVED}
   * @param rule why it is held or removed; empty otherwise
   */
  public record NewDelivery(
      EmailAddress recipient,
      MailboxId mailbox,
      DeliveryState state,
      String rule,
      Instant giveUpAt,
      String mark,
      String subjectTag) {

    NewDelivery in(DeliveryState newState) {
      return new NewDelivery(recipient, mailbox, newState, rule, giveUpAt, mark, subjectTag);
    }
  }

  public MessageRecord {
    deliveries = List.copyOf(deliveries);
  }

  /** The same record at another place. */
  public MessageRecord at(Place newPlace) {
    return with(newPlace, deliveries);
  }

  /** The same record with deliveries that no node works on: those in progress wait instead. */
  public MessageRecord withoutLeases() {
    return with(
        place,
        deliveries.stream()
            .map(
                each ->
                    each.state() == DeliveryState.IN_PROGRESS
                        ? each.in(DeliveryState.WAITING)
                        : each)
            .toList());
  }

  private MessageRecord with(Place newPlace, List<NewDelivery> newDeliveries) {
    return new MessageRecord(
        customer,
        id,
        acceptedAt,
        origin,
        newPlace,
        bytes,
        utf8,
        reversePath,
        client,
        helo,
        verdict,
        score,
        findings,
        newDeliveries);
  }
}
