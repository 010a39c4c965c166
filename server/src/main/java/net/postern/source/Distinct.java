package net.postern.source;

import java.util.Arrays;

/** A small set of hashes. Full, it takes no more: its size then says "at least". */
final class Distinct {
  /** Most members; no threshold that is compared with its size is larger. */
  static final int MAX = 64;

  private static final int[] EMPTY = {};

  private int[] sorted = EMPTY;

  /** A hash of 32 bits, the same on all nodes (FNV-1a, its halves folded). */
  static int hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    return (int) (hash ^ hash >>> 32);
  }

  /** Whether it was not there before. */
  boolean add(int member) {
    int at = Arrays.binarySearch(sorted, member);
    if (at >= 0 || sorted.length == MAX) {
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
    Distinct set = new Distinct();
    for (int member : members) {
      set.add(member);
    }
    return set;
  }
}
