package net.postern.node;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.keys.KeyRing;
import net.postern.ledger.ErasedMail;
import net.postern.tenant.Customer;
import net.postern.tenant.Erasures;
import net.postern.tenant.TenantException;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Erasing from beginning to end: the key and the addresses ({@link Erasures}), the stores ({@link
 * KeyRing#spread}), the deliveries that are open ({@link ErasedMail}).
 */
public final class Erasing {
  private static final Logger LOG = LoggerFactory.getLogger(Erasing.class);

  private final Erasures erasures;
  private final ErasedMail mail;
  private final KeyRing keys;
  private final Events events;

  Erasing(Erasures erasures, ErasedMail mail, KeyRing keys, Events events) {
    this.erasures = erasures;
    this.mail = mail;
    this.keys = keys;
    this.events = events;
  }

  /**
   * What was done.
   *
   * @param removed how many open deliveries ended
   * @param lacking why stores do not have the tombstone yet
   * @param unended why not all open deliveries could be ended
   */
  public record Outcome(long removed, List<String> lacking, Optional<String> unended) {
    public Outcome {
      lacking = List.copyOf(lacking);
    }
  }

  public Erasures erasures() {
    return erasures;
  }

  /** What is open for a mailbox. */
  public ErasedMail.Open open(Erasures.Target target) {
    return mail.open(new Erasures.Erased(target.customer(), Optional.of(target.mailbox())));
  }

  /** What is open for a customer. */
  public ErasedMail.Open open(Customer customer) {
    return mail.open(new Erasures.Erased(customer.id(), Optional.empty()));
  }

  /**
   * Erases a mailbox; of one that was erased before, finishes what is left to do.
   *
   * @return the deliveries that ended, and what could not be done now: a running node does it
   * @throws TenantException when it may not be: nothing was changed
   */
  public Outcome mailbox(Erasures.Target target) throws TenantException {
    erasures.erase(target);
    return finish(target.mailbox().value());
  }

  /** The same for everything of a customer. */
  public Outcome customer(Customer customer) throws TenantException {
    erasures.erase(customer);
    return finish(customer.id().value());
  }

  // The stores first: while one has the key, its mail can be read.
  private Outcome finish(UUID id) {
    List<String> lacking;
    try {
      lacking = keys.spread(id).failures().stream().map(IOException::getMessage).toList();
    } catch (IOException e) {
      lacking = List.of(String.valueOf(e.getMessage()));
    }
    try {
      return new Outcome(endDeliveries(List.of(id)), lacking, Optional.empty());
    } catch (JdbiException e) {
      return new Outcome(0, lacking, Optional.of(String.valueOf(e.getMessage())));
    }
  }

  /**
   * Finishes what was erased, by whomever: addresses that a database put back brought along, and
   * open deliveries.
   */
  void complete(List<UUID> ids) {
    try {
      erasures.complete(ids);
    } catch (TenantException e) {
      LOG.warn(
          "the erasure of a mailbox cannot be finished now; it is tried again: {}", e.toString());
    }
    long _ = endDeliveries(ids);
  }

  /**
   * Ends the open deliveries of what was erased.
   *
   * @return how many
   */
  private long endDeliveries(List<UUID> ids) {
    return mail.remove(erasures.of(ids), this::tell);
  }

  private void tell(List<ErasedMail.Removed> removed) {
    for (ErasedMail.Removed each : removed) {
      events.emit(
          new MailEvent.Removed(
              each.message(), each.customer(), each.recipient(), ErasedMail.RULE));
    }
  }
}
