package net.postern.source;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Counts over the last while, in {@value #SLOTS} slots of equal length: as time goes on the oldest
 * slot is dropped whole. Guarded by its entry.
 */
final class Window {
  static final int SLOTS = 6;

  /** Different known recipients of a slot that are told apart; further ones are only counted. */
  static final int MAX_KNOWN = 64;

  /** Bits for known members beyond these; a power of two. */
  private static final int OVERFLOW = 4_096;

  private final long slotSeconds;
  private final int mostMembers;
  private final List<Slot> slots = new ArrayList<>(1);

  /** The counts of one slot, and which of them the database has. */
  static final class Slot {
    final long number;
    private int known;
    private int unknown;
    private int newKnown;
    private int newUnknown;
    private int sentKnown;
    private int sentUnknown;
    private boolean changed;
    private boolean underWay;
    private final Distinct members;
    private final Distinct knownMembers = new Distinct(MAX_KNOWN);
    private @Nullable BitSet overflow;

    Slot(long number, int mostMembers) {
      this.number = number;
      this.members = new Distinct(mostMembers);
    }

    /** What is to be added in the database; counted as under way until told what became of it. */
    Delta take() {
      sentKnown = newKnown;
      sentUnknown = newUnknown;
      newKnown = 0;
      newUnknown = 0;
      changed = false;
      underWay = true;
      return new Delta(number, sentKnown, sentUnknown, members.toArray(), knownMembers.toArray());
    }

    /** The database may not have got what was taken. */
    void giveBack() {
      newKnown += sentKnown;
      newUnknown += sentUnknown;
      sentKnown = 0;
      sentUnknown = 0;
      underWay = false;
      changed = true;
    }

    /**
     * Whether one beyond those that are told apart is new; of some that are not it says that they
     * are known, never that one is new twice.
     */
    boolean overflows(int member) {
      if (overflow == null) {
        overflow = new BitSet(OVERFLOW);
      }
      int bit = member & (OVERFLOW - 1);
      if (overflow.get(bit)) {
        return false;
      }
      overflow.set(bit);
      return true;
    }

    /** What the database has, with what was taken from here. */
    void learn(SourceTable.WindowRow row) {
      known = row.known();
      unknown = row.unknown();
      sentKnown = 0;
      sentUnknown = 0;
      underWay = false;
      members.addAll(row.members());
      knownMembers.addAll(row.knownMembers());
    }
  }

  /** What one node has counted in a slot since it last said so. */
  record Delta(long slot, int known, int unknown, String members, String knownMembers) {}

  /**
   * What was counted.
   *
   * @param known recipients that exist: of a source different ones
   * @param unknown recipients that do not, each time that they were asked for
   * @param members different ones: unknown recipients of a source, sources of a domain
   */
  record Counts(int known, int unknown, int members) {

    /** The part of those that do not exist, 0 to 1. */
    double unknownShare() {
      return known + unknown == 0 ? 0 : (double) unknown / (known + unknown);
    }

    /** The part of different ones that do not exist, 0 to 1. */
    double memberShare() {
      return known + members == 0 ? 0 : (double) members / (known + members);
    }
  }

  /**
   * A window of {@value #SLOTS} slots.
   *
   * @param mostMembers that are told apart, {@link Distinct#MAX} at most
   */
  Window(Duration length, int mostMembers) {
    this.mostMembers = mostMembers;
    slotSeconds = Math.max(1, length.toSeconds() / SLOTS);
  }

  /** Counts one more that exists, whichever it is. */
  void addKnown(Instant now) {
    Slot slot = slot(number(now));
    slot.newKnown++;
    slot.changed = true;
  }

  /**
   * Counts one that exists, unless it was counted.
   *
   * @return whether it was not, as far as is known
   */
  boolean addKnown(Instant now, int member) {
    long current = number(now);
    boolean before = false;
    for (Slot slot : slots) {
      before |= slot.number > current - SLOTS && slot.knownMembers.contains(member);
    }
    Slot slot = slot(current);
    if (slot.knownMembers.contains(member)) {
      return false;
    }
    // So that it counts as long as if it were asked for now for the first time.
    if (!slot.knownMembers.add(member)) {
      if (!slot.overflows(member)) {
        return false;
      }
      if (!before) {
        slot.newKnown++;
      }
    }
    slot.changed = true;
    return !before;
  }

  void addUnknown(Instant now, int member) {
    Slot slot = slot(number(now));
    slot.newUnknown++;
    slot.members.add(member);
    slot.changed = true;
  }

  /** Whether anybody asked for a recipient that does not exist. */
  boolean hasUnknown(Instant now) {
    long oldest = number(now) - SLOTS;
    for (Slot slot : slots) {
      if (slot.number > oldest && slot.unknown + slot.newUnknown + slot.sentUnknown > 0) {
        return true;
      }
    }
    return false;
  }

  Counts counts(Instant now) {
    long oldest = number(now) - SLOTS;
    int known = 0;
    int unknown = 0;
    Distinct members = new Distinct(mostMembers);
    Distinct knownMembers = new Distinct(SLOTS * MAX_KNOWN);
    for (Slot slot : slots) {
      if (slot.number > oldest) {
        known += slot.known + slot.newKnown + slot.sentKnown;
        unknown += slot.unknown + slot.newUnknown + slot.sentUnknown;
        members.addAll(slot.members);
        knownMembers.addAll(slot.knownMembers);
      }
    }
    return new Counts(known + knownMembers.size(), unknown, members.size());
  }

  /** Slots with counts that the database lacks. */
  List<Slot> changed() {
    return slots.stream().filter(slot -> slot.changed).toList();
  }

  /** What was taken may not have arrived. */
  void giveBack() {
    for (Slot slot : slots) {
      if (slot.underWay) {
        slot.giveBack();
      }
    }
  }

  /** The slot of this number; those that are too old beside it are dropped. */
  Slot slot(long number) {
    for (int i = slots.size() - 1; i >= 0; i--) {
      if (slots.get(i).number == number) {
        return slots.get(i);
      }
    }
    long newest = number;
    for (Slot slot : slots) {
      newest = Math.max(newest, slot.number);
    }
    long oldest = newest - SLOTS;
    slots.removeIf(slot -> slot.number <= oldest);
    Slot slot = new Slot(number, mostMembers);
    slots.add(slot);
    return slot;
  }

  /** Forgets all, also what the database was not told yet. */
  void clear() {
    slots.clear();
  }

  boolean isOver(long number, Instant now) {
    return number <= number(now) - SLOTS;
  }

  private long number(Instant now) {
    return now.getEpochSecond() / slotSeconds;
  }
}
