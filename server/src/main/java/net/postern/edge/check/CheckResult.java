package net.postern.edge.check;

import java.time.Duration;

/** What a check has to say. */
public sealed interface CheckResult {

  /** Nothing against it. */
  record Pass() implements CheckResult {}

  /**
   * Nothing against it, but the filter should know.
   *
   * @param name the finding's one name
   */
  record Note(String name, String detail) implements CheckResult {}

  /** Nothing against it, but it is too fast: the reply waits so long. */
  record Slow(Duration delay) implements CheckResult {}

  /** Not now: the refusal is a 4xx. */
  record Defer(Refusal refusal) implements CheckResult {}

  /** No: the refusal is a 5xx. */
  record Reject(Refusal refusal) implements CheckResult {}

  /** No, and the session ends with it: the refusal is a 421 or 521. */
  record Disconnect(Refusal refusal) implements CheckResult {}
}
