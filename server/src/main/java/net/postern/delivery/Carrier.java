package net.postern.delivery;

/** Carries jobs over one hop, one after another. Owned by one worker of a lane. */
interface Carrier {

  /** What a job taught about the hop. */
  enum Hint {
    /** It works: the lane may widen. */
    GOOD,
    /** It does not: the lane starts over narrow. */
    BAD,
    /** Nothing either way. */
    NONE,
    /** It does not take this further connection: the job is not settled, put it back. */
    CROWDED
  }

  /**
   * Attempts a job and settles it, except for {@link Hint#CROWDED}.
   *
   * @param othersWork whether other workers of the lane had success a moment ago
   */
  Hint carry(Job job, boolean othersWork);

  /** Gives up what it holds open, politely. */
  void close();
}
