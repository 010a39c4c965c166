package net.postern.edge.check;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.auth.ReceivedSpf;
import net.postern.auth.SpfQuestion;
import net.postern.auth.SpfResult;
import net.postern.dnsbl.Listings;
import net.postern.tenant.Submitter;

/**
 * What the checks of {@code MAIL} look at.
 *
 * @param helo what the client calls itself
 * @param reversePath empty for the null reverse-path
 * @param spf what the domain says of the client; empty when nobody was asked
 * @param senderDomain whether mail to the reverse-path can be delivered
 * @param domainListings what lists of domains say of the names that the client gave
 * @param submitter the user who logged in
 */
public record Mail(
    Client client,
    String helo,
    Optional<EmailAddress> reversePath,
    Pending<Optional<SpfResult>> spf,
    Pending<SenderDomain> senderDomain,
    Pending<Listings> domainListings,
    Optional<Submitter> submitter) {

  /** One of which nothing is asked elsewhere. */
  public Mail(Client client, String helo, Optional<EmailAddress> reversePath) {
    this(
        client,
        helo,
        reversePath,
        Pending.of(Optional.empty()),
        Pending.of(new SenderDomain.Unasked()),
        Pending.of(Listings.NONE),
        Optional.empty());
  }

  /** A user's, of which nothing is asked elsewhere. */
  public static Mail of(
      Client client, String helo, Optional<EmailAddress> reversePath, Submitter user) {
    Mail plain = new Mail(client, helo, reversePath);
    return new Mail(
        client,
        helo,
        reversePath,
        plain.spf,
        plain.senderDomain,
        plain.domainListings,
        Optional.of(user));
  }

  /** The field {@code Received-SPF}; empty when nobody was asked. Waits for the result. */
  public String receivedSpf(String receiver) {
    return spf.await()
        .map(
            result ->
                ReceivedSpf.field(
                    SpfQuestion.mailFrom(client.address(), reversePath, helo, receiver), result))
        .orElse("");
  }

  /** The reverse-path's domain, when SPF says that the client may send for it. Waits for it. */
  public Optional<String> provenDomain() {
    return reversePath
        .map(EmailAddress::domain)
        .filter(
            domain ->
                spf.await()
                    .filter(
                        result ->
                            result.code() == SpfResult.Code.PASS
                                && result.domain().equalsIgnoreCase(domain))
                    .isPresent());
  }
}
