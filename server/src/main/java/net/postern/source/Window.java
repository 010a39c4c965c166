package net.postern.source;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Counts over the last while, in {@value #SLOTS} slots of equal length: as time goes on the oldest
 * slot is dropped whole. Guarded by its entry.
 */
final class Window {
  static final int SLOTS = 6;

  private final long slotSeconds;
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
    private final Distinct members = new Distinct();

    Slot(long number) {
      this.number = number;
    }

    /** What is to be added in the database; counted as under way until told what became of it. */
    Delta take() {
      sentKnown = newKnown;
      sentUnknown = newUnknown;
      newKnown = 0;
      newUnknown = 0;
      changed = false;
      underWay = true;
      return new Delta(number, sentKnown, sentUnknown, members.toArray());
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

    /** What the database has, with what was taken from here. */
    void learn(int allKnown, int allUnknown, Distinct allMembers) {
      known = allKnown;
      unknown = allUnknown;
      sentKnown = 0;
      sentUnknown = 0;
      underWay = false;
      members.addAll(allMembers);
    }
  }

  /** What one node has counted in a slot since it last said so. */
  record Delta(long slot, int known, int unknown, String members) {}

  /**
   * What was counted.
   *
   * @param known recipients that exist
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

  /** A window of {@value #SLOTS} slots. */
  Window(Duration length) {
    slotSeconds = Math.max(1, length.toSeconds() / SLOTS);
  }

  void addKnown(Instant now) {
    Slot slot = slot(number(now));
    slot.newKnown++;
    slot.changed = true;
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
    Distinct members = new Distinct();
    for (Slot slot : slots) {
      if (slot.number > oldest) {
        known += slot.known + slot.newKnown + slot.sentKnown;
        unknown += slot.unknown + slot.newUnknown + slot.sentUnknown;
        members.addAll(slot.members);
      }
    }
    return new Counts(known, unknown, members.size());
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
    Slot slot = new Slot(number);
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
