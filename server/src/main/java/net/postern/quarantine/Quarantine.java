package net.postern.quarantine;

import java.util.List;
import java.util.Optional;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.MessageView;
import net.postern.vault.MessageFrame;
import net.postern.vault.MessageReader;
import net.postern.vault.VaultUnavailableException;

/** The quarantine as people use it. */
public final class Quarantine {
  private final MessageQueries messages;
  private final MessageReader vault;
  private final Events events;

  public Quarantine(MessageQueries messages, MessageReader vault, Events events) {
    this.messages = messages;
    this.vault = vault;
    this.events = events;
  }

  /**
   * What is held, newest first.
   *
   * @param customer empty for all customers
   */
  public List<MessageView> list(Optional<CustomerId> customer, int max) {
    return messages.held(customer, max);
  }

  /**
   * The whole message, as it was accepted.
   *
   * @throws VaultUnavailableException when no store can give it now, or it is no longer kept
   */
  public byte[] read(MessageView message) throws VaultUnavailableException {
    if (message.goneSince().isPresent()) {
      throw new VaultUnavailableException(
          "message %s is no longer kept since %s; 'admin trace' has its story"
              .formatted(message.key().message(), message.goneSince().get()));
    }
    MessageFrame frame = vault.read(message.place());
    if (!frame.id().equals(message.key().message())) {
      throw new VaultUnavailableException(
          "the ledger names a place that holds another message than " + message.key().message());
    }
    return frame.content();
  }

  /**
   * Lets a message out for one recipient or all.
   *
   * @return what was let out; empty when it was not held
   */
  public List<MessageView> release(MessageId message, Optional<Integer> number, String by) {
    List<MessageView> released = messages.release(message, number, by);
    for (MessageView each : released) {
      events.emit(
          new MailEvent.Released(
              each.key().message(), each.key().customer(), each.recipient(), by));
    }
    return released;
  }

  /**
   * Ends a held message for one recipient or all. The bytes stay in the vault for their retention.
   *
   * @return what was deleted; empty when it was not held
   */
  public List<MessageView> delete(MessageId message, Optional<Integer> number, String by) {
    List<MessageView> deleted = messages.delete(message, number, by);
    for (MessageView each : deleted) {
      events.emit(
          new MailEvent.Removed(
              each.key().message(),
              each.key().customer(),
              each.recipient(),
              "deleted from quarantine by " + by));
    }
    return deleted;
  }
}
