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
   * @param waived why it is to weigh nothing for the recipient that was asked about, one clause;
   *     empty where it weighs what it does for everybody
   * @param own whether it is of the recipient and concerns nobody else
   */
  record Note(String name, String detail, String waived, boolean own) implements CheckResult {

    /** One that is of the sender and weighs the same for all. */
    public Note(String name, String detail) {
      this(name, detail, "", false);
    }

    /** The same, of which the recipient wants nothing to follow; empty for one that does. */
    public Note waived(String why) {
      return new Note(name, detail, why, own);
    }

    /** One that is of the recipient. */
    public static Note own(String name, String detail) {
      return new Note(name, detail, "", true);
    }
  }

  /** Nothing against it, but it is too fast: the reply waits so long. */
  record Slow(Duration delay) implements CheckResult {}

  /** Not now: the refusal is a 4xx. */
  record Defer(Refusal refusal) implements CheckResult {}

  /** No: the refusal is a 5xx. */
  record Reject(Refusal refusal) implements CheckResult {}

  /** No, and the session ends with it: the refusal is a 421 or 521. */
  record Disconnect(Refusal refusal) implements CheckResult {}
}
