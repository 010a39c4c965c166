package net.postern.edge.check;

import java.time.Duration;
import java.util.Map;

/** What a check has to say. */
public sealed interface CheckResult {

  /** Nothing against it. */
  record Pass() implements CheckResult {}

  /**
   * Nothing against it, but the filter should know.
   *
   * @param name the finding's one name
   * @param waived for whom it is to weigh nothing, by the keys of their addresses, and why, one
   *     clause; for others it weighs what it does for everybody
   * @param own whether it is of the recipient and concerns nobody else
   */
  record Note(String name, String detail, Map<String, String> waived, boolean own)
      implements CheckResult {
    public Note {
      waived = Map.copyOf(waived);
    }

    /** One that is of the sender and weighs the same for all. */
    public Note(String name, String detail) {
      this(name, detail, Map.of(), false);
    }

    /** The same, of which some want nothing to follow: see {@link #waived()}. */
    public Note waived(Map<String, String> why) {
      return new Note(name, detail, why, own);
    }

    /** One that is of the recipient. */
    public static Note own(String name, String detail) {
      return new Note(name, detail, Map.of(), true);
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
