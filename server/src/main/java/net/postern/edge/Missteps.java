package net.postern.edge;

import net.postern.config.EdgeConfig;

/**
 * Counts what a client does wrong, and commands that get nothing done, and says when it was too
 * often. Used by the session's thread.
 */
final class Missteps {
  private final EdgeConfig config;
  private int errors;
  private int idle;

  /** What comes of it. */
  enum Outcome {
    FINE,
    /** The client is to wait before it hears more. */
    SLOW,
    /** The session is to end. */
    ENOUGH
  }

  Missteps(EdgeConfig config) {
    this.config = config;
  }

  /** One more error. */
  Outcome error() {
    errors++;
    if (errors >= config.hardErrors()) {
      return Outcome.ENOUGH;
    }
    return errors > config.softErrors() ? Outcome.SLOW : Outcome.FINE;
  }

  /**
   * A command. Beyond a number of those that get nothing done each is an error, until a message was
   * taken.
   *
   * @param greeted whether the client has said who it is
   */
  Outcome command(String verb, boolean greeted) {
    boolean isIdle =
        switch (verb) {
          case "NOOP", "RSET", "VRFY", "HELP" -> true;
          case "EHLO", "HELO" -> greeted;
          default -> false;
        };
    if (!isIdle || ++idle <= config.junkCommands()) {
      return Outcome.FINE;
    }
    return error();
  }

  /** A message was taken: what went wrong before it is forgiven. */
  void forgive() {
    errors = 0;
    idle = 0;
  }
}
