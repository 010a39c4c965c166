package net.postern.policy;

/** What becomes of a message for one recipient. */
public sealed interface Disposition {

  /** Delivered as it came. */
  record Deliver() implements Disposition {}

  /**
   * Delivered with a mark.
   *
   * @param header lines to put before the message, CRLF ended
   * @param subjectTag to put before the subject, empty for none
   */
  record Flag(String header, String subjectTag) implements Disposition {}

  /** Kept in quarantine. */
  record Hold(String why) implements Disposition {}

  /** Not taken, for good. */
  record Refuse(String why) implements Disposition {}

  /** Not taken now: something that has to look at it is away. */
  record Wait(String why) implements Disposition {}
}
