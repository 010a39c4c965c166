package net.postern.id;

import java.util.UUID;

/** Names one mailbox. Random, so that it tells nothing when it is seen in a store. */
public record MailboxId(UUID value) {

  public static MailboxId create() {
    return new MailboxId(UUID.randomUUID());
  }

  /**
   * Reads what {@link #toString} wrote.
   *
   * @throws IllegalArgumentException when the text is no UUID
   */
  public static MailboxId parse(String text) {
    return new MailboxId(UUID.fromString(text));
  }

  @Override
  public String toString() {
    return value.toString();
  }
}
