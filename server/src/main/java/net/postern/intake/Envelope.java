package net.postern.intake;

import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.tenant.Recipient;
import net.postern.tenant.Submitter;

/**
 * All that SMTP said about a message besides its content (RFC 5321 §2.3.1).
 *
 * @param client address of the sending server
 * @param clientName verified reverse DNS name of the client, empty when unknown
 * @param helo the argument of EHLO or HELO
 * @param protocol for the Received field: SMTP, ESMTP, ESMTPS, UTF8SMTP and so on (RFC 3848, RFC
 *     6531)
 * @param tls protocol and cipher suite, empty on a plain connection
 * @param reversePath empty for the null reverse-path {@code <>}
 * @param recipients all were accepted at RCPT; at least one
 * @param utf8 whether the client said SMTPUTF8
 * @param notes what the checks of the dialogue found
 * @param spf the field {@code Received-SPF} with its line end (RFC 7208 §9.1); empty when SPF was
 *     not checked
 * @param submitter who sends to others: a user who logged in, or a customer's registered server
 * @param hideClient whether the Received field is not to say where the message came from
 */
public record Envelope(
    InetAddress client,
    String clientName,
    String helo,
    String protocol,
    String tls,
    Optional<EmailAddress> reversePath,
    List<Recipient> recipients,
    boolean utf8,
    List<Note> notes,
    String spf,
    Instant receivedAt,
    Optional<Submitter> submitter,
    boolean hideClient) {

  /**
   * Something that a check of the dialogue found, which the filter is to weigh.
   *
   * @param name the finding's one name
   * @param detail for people
   * @param waived recipients for whom it weighs nothing, by the keys of their addresses, and why
   * @param of the recipients that it concerns, by the keys of their addresses; none for one that is
   *     of the sender and concerns all
   */
  public record Note(String name, String detail, Map<String, String> waived, Set<String> of) {
    public Note {
      waived = Map.copyOf(waived);
      of = Set.copyOf(of);
    }

    /** One that weighs the same for all. */
    public Note(String name, String detail) {
      this(name, detail, Map.of(), Set.of());
    }
  }

  /** Of a message for our customers only, for which SPF was not checked. */
  public Envelope(
      InetAddress client,
      String clientName,
      String helo,
      String protocol,
      String tls,
      Optional<EmailAddress> reversePath,
      List<Recipient> recipients,
      boolean utf8,
      List<Note> notes,
      Instant receivedAt) {
    this(
        client,
        clientName,
        helo,
        protocol,
        tls,
        reversePath,
        recipients,
        utf8,
        notes,
        "",
        receivedAt,
        Optional.empty(),
        false);
  }

  public Envelope {
    recipients = List.copyOf(recipients);
    notes = List.copyOf(notes);
    if (recipients.isEmpty()) {
      throw new IllegalArgumentException("an envelope needs a recipient");
    }
  }
}
