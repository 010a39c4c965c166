package net.postern.delivery;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.ledger.LeasedDelivery;
import net.postern.mime.HeaderWriter;
import net.postern.smtp.client.OutgoingMail;
import net.postern.vault.MessageVault;
import net.postern.vault.VaultUnavailableException;

/**
 * Recipients of one message that share the next hop and the form of the message: one transaction.
 * Owned by one thread at a time.
 */
final class Job {
  private final List<LeasedDelivery> deliveries;
  private final Ticket ticket;
  private int requeues;

  /** Room that the job takes up until it is settled. */
  @FunctionalInterface
  interface Ticket {
    /** Gives the room of so many deliveries back. */
    void done(int deliveries);
  }

  /** What all deliveries of a job have in common. */
  record Form(
      net.postern.ledger.DeliveryKey first,
      Optional<EmailAddress> reversePath,
      String mark,
      String subjectTag) {
    static Form of(LeasedDelivery delivery) {
      return new Form(
          // Number 0 stands for them all.
          new net.postern.ledger.DeliveryKey(
              delivery.key().customer(), delivery.key().message(), 0),
          delivery.reversePath(),
          delivery.mark(),
          delivery.subjectTag());
    }
  }

  Job(List<LeasedDelivery> deliveries, Ticket ticket) {
    this.deliveries = List.copyOf(deliveries);
    this.ticket = ticket;
  }

  List<LeasedDelivery> deliveries() {
    return deliveries;
  }

  LeasedDelivery first() {
    return deliveries.getFirst();
  }

  /** Bytes that wait in memory with this job. */
  long heldBytes() {
    return first().content().isPresent() ? first().bytes() : 0;
  }

  /** Bytes that have to be read from the vault to carry this job. */
  long bytesToRead() {
    return first().content().isPresent() ? 0 : first().bytes();
  }

  /** The message, read from the vault when it is not in memory. */
  byte[] content(MessageVault vault) throws VaultUnavailableException {
    Optional<byte[]> held = first().content();
    return held.isPresent() ? held.get() : vault.read(first().place()).content();
  }

  /** The message with what the policy puts on it; otherwise byte for byte, the same array. */
  byte[] marked(byte[] content) {
    return HeaderWriter.of(content)
        .prependLines(first().mark())
        .tagSubject(first().subjectTag())
        .write();
  }

  OutgoingMail mail(byte[] content) {
    LeasedDelivery first = first();
    return new OutgoingMail(
        first.reversePath(),
        deliveries.stream().map(LeasedDelivery::recipient).toList(),
        marked(content),
        first.utf8());
  }

  /** Time until an attempt has to be over, so that it ends before another node may start one. */
  Duration budget(Instant now, Duration margin) {
    return Duration.between(now, first().leaseUntil()).minus(margin);
  }

  /** Counts a return to the queue; false when there were enough. */
  boolean mayRequeue(int most) {
    return requeues++ < most;
  }

  void done(int count) {
    ticket.done(count);
  }
}
