package net.postern.submission;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.config.SubmissionConfig;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.tenant.Accounts;
import net.postern.tenant.Directory;
import net.postern.tenant.Submitter;

/**
 * All that a session asks about sending to others.
 *
 * @param logins who is who
 * @param limits how much
 */
public record Outbound(
    SubmissionConfig config,
    Directory directory,
    Accounts accounts,
    Authenticator logins,
    SendLimits limits) {

  /**
   * The customer's server at the other end: known by its certificate, or else by its address.
   *
   * @param certificate SHA-256 of the certificate that it proved to have, hexadecimal; may be empty
   * @return empty when nobody registered it, or its customer has no mailbox for what servers send
   */
  public Optional<Submitter> server(InetAddress client, String certificate) {
    Optional<CustomerId> customer =
        certificate.isEmpty() ? Optional.empty() : accounts.certifiedServer(certificate);
    String name = customer.isPresent() ? "certificate " + certificate : client.getHostAddress();
    if (customer.isEmpty()) {
      customer = directory.registeredServer(client);
    }
    if (customer.isEmpty()) {
      return Optional.empty();
    }
    Optional<MailboxId> mailbox = accounts.serverMailbox(customer.get());
    CustomerId of = customer.get();
    return mailbox.map(each -> new Submitter(Submitter.Kind.SERVER, of, each, name));
  }
}
