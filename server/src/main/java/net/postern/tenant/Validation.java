package net.postern.tenant;

/** How a domain's addresses that nobody entered are treated. */
public enum Validation {
  /** They do not exist. */
  LISTED,
  /** They are all taken. */
  OPEN,
  /** The customer's server is asked. */
  CALLOUT;

  /** As the database has it; where it has none, the catch-all decides, as it always did. */
  static final String SQL =
      "coalesce(d.validation, case when d.catch_all_mailbox is null then 'listed' else 'open' end)";
}
