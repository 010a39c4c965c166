package net.postern.source;

import java.util.Arrays;

/** A small set of hashes. Full, it takes no more: its size then says "at least". */
final class Distinct {
  /** Most members of any; no threshold that is compared with its size is larger. */
  static final int MAX = 1024;

  private static final int[] EMPTY = {};

  private final int capacity;
  private int[] sorted = EMPTY;

  /**
   * @param capacity most members
   */
  Distinct(int capacity) {
    this.capacity = capacity;
  }

  boolean contains(int member) {
    return Arrays.binarySearch(sorted, member) >= 0;
  }

  /** Whether it is a member now. */
  boolean add(int member) {
    int at = Arrays.binarySearch(sorted, member);
    if (at >= 0) {
      return true;
    }
    if (sorted.length >= capacity) {
      return false;
    }
    int[] more = new int[sorted.length + 1];
    int before = -at - 1;
    System.arraycopy(sorted, 0, more, 0, before);
    more[before] = member;
    System.arraycopy(sorted, before, more, before + 1, sorted.length - before);
    sorted = more;
    return true;
  }

  void addAll(Distinct others) {
    for (int other : others.sorted) {
      add(other);
    }
  }

  int size() {
    return sorted.length;
  }

  /** PostgreSQL's form of an array. */
  String toArray() {
    return Arrays.toString(sorted).replace('[', '{').replace(']', '}').replace(" ", "");
  }

  static Distinct of(Integer[] members) {
    Distinct set = new Distinct(MAX);
    for (int member : members) {
      set.add(member);
    }
    return set;
  }
}
