package net.postern.callout;

/** What a question to a customer's server came to. */
sealed interface Verdict {

  /** It takes mail for the address. */
  record Exists(String reply) implements Verdict {}

  /** It takes mail for whatever it is asked, also for what cannot exist. */
  record TakesAll() implements Verdict {}

  /** It has no such user. */
  record Unknown(String reply) implements Verdict {}

  /** Nothing can be said now. */
  record CannotTell(String why) implements Verdict {}
}
