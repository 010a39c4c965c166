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
   * @param ours whether it says nothing about any server: we had too much to ask at one time, or
   *     left none the time for an answer
   */
  record Failure<T>(String reason, boolean ours) implements Answer<T> {

    /** One that servers are the cause of. */
    public Failure(String reason) {
      this(reason, false);
    }
  }

  /** The records, none for every other answer: only where all others mean the same. */
  default List<T> orNone() {
    return this instanceof Found<T>(List<T> values) ? values : List.of();
  }
}
