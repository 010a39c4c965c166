package net.postern.submission;

import java.time.Duration;
import net.postern.tenant.Submitter;

/** What came of an attempt to log in. */
public sealed interface Login {

  record Ok(Submitter user) implements Login {}

  /**
   * Not this name with this password.
   *
   * @param why for our own people; the client is told no more than that it failed
   */
  record Wrong(String why) implements Login {}

  /** Not tried: too many wrong passwords before. */
  record Locked(String scope, Duration left) implements Login {}

  /** Not tried: the database is away, or too many want to log in at once. */
  record Unavailable(String why) implements Login {}
}
