package net.postern.tenant;

/** What the directory knows of an address. */
public sealed interface RecipientLookup {

  /** Mail for it is taken. */
  record Found(Recipient recipient) implements RecipientLookup {}

  /** The domain is a customer's, the user is not: {@code 550 5.1.1}. */
  record UnknownUser(net.postern.id.CustomerId customer) implements RecipientLookup {}

  /** The domain is nobody's here: taking the mail would be relaying. */
  record NotOurs() implements RecipientLookup {}

  /** The directory cannot say now: {@code 451 4.3.0}, never "unknown". */
  record Unavailable(String why) implements RecipientLookup {}
}
