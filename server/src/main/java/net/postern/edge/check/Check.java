package net.postern.edge.check;

/**
 * One thing that is asked of a client before any of a message is taken. Safe for many threads; may
 * block for a bounded time.
 *
 * @param <Q> what it looks at
 */
public interface Check<Q> {

  About about();

  CheckResult check(Q question);

  /** When a check is asked of a recipient that only the customer's server may know. */
  enum Turn {
    /** Before that server is asked: who is refused anyway is to cost it nothing. */
    UNASKED,
    /** When its answer is there. */
    ANSWERED,
    /** Both times, since the answer tells it more. */
    BOTH
  }

  /** When it is asked of such a recipient; of all others once, in its place. */
  default Turn turn() {
    return Turn.UNASKED;
  }

  /**
   * Whether it may have to wait for others, as for the DNS: it then runs beside the other checks of
   * its stage. One that only looks at what is in memory runs on the session's own thread.
   */
  default boolean waits() {
    return false;
  }

  /** Whether it may have to wait for this answer: not where what it looks at is there already. */
  default boolean waits(Q question) {
    return waits();
  }
}
