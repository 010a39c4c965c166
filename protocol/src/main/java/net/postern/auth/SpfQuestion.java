package net.postern.auth;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.dns.DnsNames;

/**
 * May this client send mail in this name?
 *
 * @param client address of the SMTP client; an IPv4 address inside an IPv6 one counts as IPv4, as
 *     Java makes it
 * @param identity which name is asked about
 * @param localPart of the sender; {@code postmaster} when there is none (RFC 7208 §4.3)
 * @param domain of the sender, in any form: what cannot be a domain has the result none
 * @param helo what the client gave for its name
 * @param receiver host name of this server, for explanations and header fields
 */
public record SpfQuestion(
    InetAddress client,
    Identity identity,
    String localPart,
    String domain,
    String helo,
    String receiver) {

  private static final String POSTMASTER = "postmaster";

  /** The names of a transaction that have a policy (RFC 7208 §2.3, §2.4). */
  public enum Identity {
    MAIL_FROM,
    HELO
  }

  public SpfQuestion {
    localPart = localPart.isEmpty() ? POSTMASTER : localPart;
    domain = DnsNames.canonical(domain);
  }

  /** About the reverse-path; about the HELO name when it is null (RFC 7208 §2.4). */
  public static SpfQuestion mailFrom(
      InetAddress client, Optional<EmailAddress> reversePath, String helo, String receiver) {
    return reversePath
        .map(
            sender ->
                new SpfQuestion(
                    client,
                    Identity.MAIL_FROM,
                    sender.localPart(),
                    sender.domain(),
                    helo,
                    receiver))
        .orElseGet(
            () -> new SpfQuestion(client, Identity.MAIL_FROM, POSTMASTER, helo, helo, receiver));
  }

  /** About the HELO name (RFC 7208 §2.3). */
  public static SpfQuestion helo(InetAddress client, String helo, String receiver) {
    return new SpfQuestion(client, Identity.HELO, POSTMASTER, helo, helo, receiver);
  }

  /** The sender as macros have it. */
  String sender() {
    return localPart + "@" + domain;
  }
}
