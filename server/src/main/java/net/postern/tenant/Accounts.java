package net.postern.tenant;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Answers who may send to others, and how much. Safe for many threads; may block on the database.
 */
public interface Accounts {

  /**
   * The password of the user with this address or alias. Never from a cache: it may have changed.
   */
  CredentialLookup find(EmailAddress name);

  /**
   * For whom is kept what a customer's registered servers send.
   *
   * @return empty when the customer has no such mailbox, or that cannot be said now
   */
  Optional<MailboxId> serverMailbox(CustomerId customer);

  /**
   * Whether any server is registered by its certificate, so that clients are to be asked for one.
   */
  boolean asksForCertificates();

  /**
   * The customer who registered a certificate.
   *
   * @param fingerprint SHA-256, lower case hexadecimal
   */
  Optional<CustomerId> certifiedServer(String fingerprint);

  /**
   * What differs from the configured limits.
   *
   * @param mailbox empty: of the customer as a whole
   */
  SendLimit limits(CustomerId customer, Optional<MailboxId> mailbox);
}
