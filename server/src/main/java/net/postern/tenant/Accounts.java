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
   * The passwords of the user with this address or alias. Never from a cache: they may have
   * changed.
   */
  CredentialLookup find(EmailAddress name);

  /** Notes that a user logged in with an app password, to some minutes. */
  void used(MailboxId mailbox, String appPassword);

  /**
   * For whom is kept what a customer's registered servers send.
   *
   * @return an empty answer when the customer has no such mailbox
   */
  Lookup<Optional<MailboxId>> serverMailbox(CustomerId customer);

  /**
   * Whether clients are to be asked for a certificate: when any server is registered by its, and
   * when that cannot be said now.
   */
  boolean asksForCertificates();

  /**
   * The customer who registered a certificate.
   *
   * @param fingerprint SHA-256, lower case hexadecimal
   */
  Lookup<Optional<CustomerId>> certifiedServer(String fingerprint);

  /**
   * What differs from the configured limits.
   *
   * @param mailbox empty: of the customer as a whole
   */
  Lookup<SendLimit> limits(CustomerId customer, Optional<MailboxId> mailbox);
}
