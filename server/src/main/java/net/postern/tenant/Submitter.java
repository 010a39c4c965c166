package net.postern.tenant;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Someone who may send to addresses that are nobody's here: a user who logged in, or a customer's
 * registered server.
 *
 * @param mailbox whose key opens what is sent
 * @param name what people call it: the address that was logged in with, or how the server is known
 */
public record Submitter(Kind kind, CustomerId customer, MailboxId mailbox, String name) {

  /** What it may call its own. */
  public enum Kind {
    /** Its own addresses and aliases. */
    USER,
    /** Every address of its customer's domains. */
    SERVER
  }

  /** An answer that may not be had now. */
  public enum Owns {
    YES,
    NO,
    UNKNOWN
  }

  /**
   * Whether it may send in the name of an address. No customer's server is asked: what nobody ever
   * entered or confirmed belongs to no account.
   */
  public Owns owns(Directory directory, EmailAddress address) {
    return switch (directory.lookup(address, Directory.Asking.FORBIDDEN)) {
      case RecipientLookup.Found(Recipient found, String _) ->
          kind == Kind.USER ? yes(found.mailbox().equals(mailbox)) : ofCustomer(found.customer());
      // A group belongs to no one of its members.
      case RecipientLookup.Group group ->
          kind == Kind.USER ? Owns.NO : ofCustomer(group.customer());
      case RecipientLookup.UnknownUser(CustomerId of) ->
          kind == Kind.USER ? Owns.NO : ofCustomer(of);
      case RecipientLookup.Unasked(CustomerId of, Optional<MailboxId> its, var _) ->
          kind == Kind.USER ? yes(its.filter(mailbox::equals).isPresent()) : ofCustomer(of);
      case RecipientLookup.NotOurs() -> Owns.NO;
      case RecipientLookup.Unavailable unavailable -> Owns.UNKNOWN;
    };
  }

  /** Whether an address is of one of its customer's domains. No customer's server is asked. */
  public Owns ownsDomain(Directory directory, EmailAddress address) {
    return switch (directory.lookup(address, Directory.Asking.FORBIDDEN)) {
      case RecipientLookup.Found(Recipient found, String _) -> ofCustomer(found.customer());
      case RecipientLookup.Group group -> ofCustomer(group.customer());
      case RecipientLookup.UnknownUser(CustomerId of) -> ofCustomer(of);
      case RecipientLookup.Unasked unasked -> ofCustomer(unasked.customer());
      case RecipientLookup.NotOurs() -> Owns.NO;
      case RecipientLookup.Unavailable unavailable -> Owns.UNKNOWN;
    };
  }

  private Owns ofCustomer(CustomerId of) {
    return yes(of.equals(customer));
  }

  private static Owns yes(boolean owns) {
    return owns ? Owns.YES : Owns.NO;
  }
}
