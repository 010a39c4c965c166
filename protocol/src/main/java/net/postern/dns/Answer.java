package net.postern.dns;

import java.util.List;

/**
 * What the DNS said.
 *
 * @param <T> type of one record
 */
public sealed interface Answer<T> {

  /**
   * There are such records.
   *
   * @param values at least one
   */
  record Found<T>(List<T> values) implements Answer<T> {
    public Found {
      values = List.copyOf(values);
      if (values.isEmpty()) {
        throw new IllegalArgumentException("found means at least one record");
      }
    }
  }

  /** The name exists, without records of this type (RFC 2308 §2.2). */
  record NoData<T>() implements Answer<T> {}

  /** The name does not exist (RFC 2308 §2.1). */
  record NxDomain<T>() implements Answer<T> {}

  /**
   * It could not be found out: no server answered in time, or with an error. Try later.
   *
   * @param cause whose doing it is
   */
  record Failure<T>(String reason, Cause cause) implements Answer<T> {

    /** Nobody answered in time. */
    public Failure(String reason) {
      this(reason, Cause.SILENCE);
    }
  }

  /** Why there is no answer. */
  enum Cause {
    /** A name server said that it cannot tell: something is wrong with the name's zone. */
    SAID,
    /** Nobody answered in time: the zone's servers, or our own way to them. */
    SILENCE,
    /**
     * It says nothing about any server: we had too much to ask at one time, or left none the time
     * for an answer.
     */
    OURS
  }

  /** The records, none for every other answer: only where all others mean the same. */
  default List<T> orNone() {
    return this instanceof Found<T>(List<T> values) ? values : List.of();
  }
}
