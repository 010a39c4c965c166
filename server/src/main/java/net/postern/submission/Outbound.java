package net.postern.submission;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.config.SubmissionConfig;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.tenant.Accounts;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
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
  public Lookup<Optional<Submitter>> server(InetAddress client, String certificate) {
    if (!certificate.isEmpty()) {
      switch (accounts.certifiedServer(certificate)) {
        case Lookup.Unavailable<Optional<CustomerId>>(String why) -> {
          return new Lookup.Unavailable<>(why);
        }
        case Lookup.Known<Optional<CustomerId>>(Optional<CustomerId> customer) -> {
          if (customer.isPresent()) {
            return server(customer.get(), "certificate " + certificate);
          }
        }
      }
    }
    return switch (directory.registeredServer(client)) {
      case Lookup.Unavailable<Optional<CustomerId>>(String why) -> new Lookup.Unavailable<>(why);
      case Lookup.Known<Optional<CustomerId>>(Optional<CustomerId> customer) ->
          customer.isPresent()
              ? server(customer.get(), client.getHostAddress())
              : Lookup.of(Optional.empty());
    };
  }

  private Lookup<Optional<Submitter>> server(CustomerId customer, String name) {
    return switch (accounts.serverMailbox(customer)) {
      case Lookup.Unavailable<Optional<MailboxId>>(String why) -> new Lookup.Unavailable<>(why);
      case Lookup.Known<Optional<MailboxId>>(Optional<MailboxId> mailbox) ->
          Lookup.of(
              mailbox.map(each -> new Submitter(Submitter.Kind.SERVER, customer, each, name)));
    };
  }
}
