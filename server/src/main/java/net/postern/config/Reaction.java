package net.postern.config;

/** What follows from something that no proper client does. */
public enum Reaction {
  /** The filter is told. */
  NOTE,
  /** The client is refused. */
  REFUSE
}
