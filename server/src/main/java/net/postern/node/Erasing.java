package net.postern.node;

import java.io.IOException;
import java.util.List;
import java.util.UUID;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.keys.KeyRing;
import net.postern.ledger.ErasedMail;
import net.postern.tenant.Customer;
import net.postern.tenant.Erasures;
import net.postern.tenant.TenantException;

/**
 * Erasing from beginning to end: the key and the addresses ({@link Erasures}), the deliveries that
 * are open ({@link ErasedMail}), the stores ({@link KeyRing#spread}).
 */
public final class Erasing {
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

  /** What was found and done. */
  public record Outcome(List<ErasedMail.Removed> removed, List<String> lacking) {
    public Outcome {
      removed = List.copyOf(removed);
      lacking = List.copyOf(lacking);
    }
  }

  public Erasures erasures() {
    return erasures;
  }

  /** What is open for a mailbox or a customer. */
  public ErasedMail.Open open(UUID id) {
    return mail.open(id);
  }

  /**
   * Erases a mailbox; of one that was erased before, finishes what is left to do.
   *
   * @return the deliveries that ended, and why stores do not have the tombstone yet: they get it
   *     when they are back
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

  private Outcome finish(UUID id) {
    List<ErasedMail.Removed> removed = endDeliveries(List.of(id));
    try {
      return new Outcome(
          removed, keys.spread(id).failures().stream().map(IOException::getMessage).toList());
    } catch (IOException e) {
      return new Outcome(removed, List.of(String.valueOf(e.getMessage())));
    }
  }

  /** Ends the open deliveries of what was erased. */
  List<ErasedMail.Removed> endDeliveries(List<UUID> ids) {
    List<ErasedMail.Removed> removed = mail.remove(ids);
    for (ErasedMail.Removed each : removed) {
      events.emit(
          new MailEvent.Removed(
              each.message(), each.customer(), each.recipient(), ErasedMail.RULE));
    }
    return removed;
  }
}
