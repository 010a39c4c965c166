package net.postern.filter;

import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;

/**
 * A message under judgement with what is known of how it came.
 *
 * @param client address of the sending server, empty when a file is scanned
 * @param helo empty when unknown
 * @param reversePath empty for the null reverse-path or when unknown
 * @param content the whole message
 * @param now the clock of this judgement, so that it can be replayed
 * @param dialogue what was found while the sender was connected
 */
public record Sample(
    Optional<InetAddress> client,
    String helo,
    Optional<EmailAddress> reversePath,
    List<EmailAddress> recipients,
    byte[] content,
    Instant now,
    List<Noted> dialogue) {

  public Sample {
    dialogue = List.copyOf(dialogue);
  }

  /** A message of whose dialogue nothing is known. */
  public Sample(
      Optional<InetAddress> client,
      String helo,
      Optional<EmailAddress> reversePath,
      List<EmailAddress> recipients,
      byte[] content,
      Instant now) {
    this(client, helo, reversePath, recipients, content, now, List.of());
  }
}
