package net.postern.vault;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Decides what compaction does with a segment, and which segments it makes into one. Pure: the same
 * figures give the same plan.
 *
 * <p>The figures that it weighs: <em>space</em>, the bytes in a store for each byte that is kept;
 * and <em>writing</em>, the bytes that compaction writes for each byte that came in. A segment that
 * is rewritten when a share <em>d</em> of it is dead costs (1 - d) / d bytes written for each byte
 * freed, and lets a store grow to 1 / (1 - d) of what is kept (Rosenblum and Ousterhout 1992, The
 * Design and Implementation of a Log-Structured File System, §3.4). With {@link #DEAD_SHARE} that
 * is 2 written for each one freed, and 1.5.
 *
 * @param deadWithin by when dead bytes are to be gone
 * @param patience how long a segment is left alone that will soon be dead as a whole
 * @param segmentBytes most bytes in a segment that is made here, but for one longer frame
 */
record CompactionPlan(Duration deadWithin, Duration patience, long segmentBytes) {

  /** From this share of dead bytes on a segment is worth rewriting. */
  static final double DEAD_SHARE = 1.0 / 3;

  /** Below this share of the full size a segment is small. */
  private static final int SMALL_PART = 4;

  /** So many small segments are left alone: they are only objects, and most die as a whole. */
  static final int SMALL_SEGMENTS = 32;

  /** Fewest small segments that are worth merging. */
  private static final int FEWEST_SMALL = 4;

  /**
   * The part of what is kept that may be there twice, in old segments that are dropped and not yet
   * deleted, and their new copies: one in so many.
   */
  private static final int TWICE_PART = 4;

  /** Dead bytes are seen after at most this part of the time by when they are to be gone. */
  private static final int LOOK_PART = 8;

  /**
   * A segment that is to be rewritten or merged.
   *
   * @param endOfLife about when its frames will be dead
   * @param overdue whether its dead bytes have been there for so long that it cannot wait
   */
  record Candidate(UUID segment, long bytes, long liveBytes, Instant endOfLife, boolean overdue) {}

  /** What is to be done with a segment. */
  sealed interface Decision {
    /** Nothing of it is kept. */
    record Drop() implements Decision {}

    /** Enough of it is dead, or has been for long enough. */
    record Rewrite(Candidate candidate) implements Decision {}

    /** It is left as it is until the next look. */
    record Leave() implements Decision {}
  }

  /** A decision, and what the look found. */
  record Verdict(Decision decision, SegmentBook.Look look) {}

  /** Below this length, in bytes, a segment is small. */
  long smallBytes() {
    return segmentBytes / SMALL_PART;
  }

  /** Longest time between two looks at a segment. */
  Duration lookInterval() {
    return deadWithin.dividedBy(LOOK_PART);
  }

  /**
   * Judges a segment.
   *
   * @param bytes its length
   * @param kept its frames that something keeps
   */
  Verdict judge(
      SegmentBook.Entry entry, long bytes, List<SegmentBook.KeptFrame> kept, Instant now) {
    long live = kept.stream().mapToLong(frame -> frame.place().length()).sum();
    long dead = Math.max(0, bytes - Segment.HEADER - live);
    Optional<Instant> deadSince =
        dead == 0 ? Optional.empty() : Optional.of(entry.deadSince().orElse(now));
    Instant next = now.plus(lookInterval());
    Decision decision = new Decision.Leave();
    if (live == 0) {
      decision = new Decision.Drop();
      next = now;
    } else if (dead > 0) {
      // Seen after an eighth, rewritten after six more: an eighth is left for the deletion.
      Instant last = deadSince.orElse(now).plus(lookInterval().multipliedBy(LOOK_PART - 2));
      boolean worth = dead >= bytes * DEAD_SHARE && !isSoonDead(kept, live, now);
      boolean overdue = !now.isBefore(last);
      if (worth || overdue) {
        decision =
            new Decision.Rewrite(
                new Candidate(entry.segment(), bytes, live, endOfLife(kept, now), overdue));
        next = now;
      } else {
        next = earlier(next, last);
      }
    }
    if (decision instanceof Decision.Leave) {
      next = earlier(next, nextChange(bytes, dead, kept, now));
    }
    return new Verdict(
        decision,
        new SegmentBook.Look(entry.segment(), bytes, live, deadSince, endOfLife(kept, now), next));
  }

  /** The mean of when frames will be dead, weighed by their lengths. */
  static Instant endOfLife(List<SegmentBook.KeptFrame> kept, Instant now) {
    double live = 0;
    double sum = 0;
    for (SegmentBook.KeptFrame frame : kept) {
      live += frame.place().length();
      sum += (double) frame.place().length() * frame.keptUntil().getEpochSecond();
    }
    return live == 0 ? now : Instant.ofEpochSecond((long) (sum / live));
  }

  // Most of what is kept goes within the patience: to copy it would be for nothing.
  private boolean isSoonDead(List<SegmentBook.KeptFrame> kept, long live, Instant now) {
    Instant horizon = now.plus(patience);
    long lasting =
        kept.stream()
            .filter(frame -> frame.keptUntil().isAfter(horizon))
            .mapToLong(frame -> frame.place().length())
            .sum();
    return lasting < live / 2;
  }

  // When the dead share gets to the threshold, or the last frame goes, as far as is known now.
  private Instant nextChange(long bytes, long dead, List<SegmentBook.KeptFrame> kept, Instant now) {
    List<SegmentBook.KeptFrame> byEnd = new ArrayList<>(kept);
    byEnd.sort(Comparator.comparing(SegmentBook.KeptFrame::keptUntil));
    Instant soonest = now.plus(patience.dividedBy(LOOK_PART));
    long sum = dead;
    for (SegmentBook.KeptFrame frame : byEnd) {
      sum += frame.place().length();
      if (sum >= bytes * DEAD_SHARE && frame.keptUntil().isAfter(soonest)) {
        return frame.keptUntil();
      }
    }
    Instant end = byEnd.getLast().keptUntil();
    return end.isAfter(soonest) ? end : soonest;
  }

  private static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  /**
   * Puts segments together, each batch to be made into one new segment. Frames that will be dead at
   * about the same time come together, so that segments die as a whole.
   *
   * <p>What is rewritten is there twice until the old segments are deleted. So a round takes no
   * more than a part of what is kept, but at least one segment, if nothing else is under way or it
   * is overdue: the rest waits for the next.
   *
   * @param rewrite segments that are to be rewritten
   * @param small small segments; some are taken when there are too many
   */
  List<List<Candidate>> batches(
      List<Candidate> rewrite, List<Candidate> small, SegmentBook.Totals totals) {
    long room = totals.liveBytes() / TWICE_PART - totals.graceBytes();
    List<Candidate> chosen = new ArrayList<>();
    Set<UUID> taken = new HashSet<>();
    List<Candidate> inTurn = new ArrayList<>(rewrite);
    inTurn.sort(
        Comparator.comparing((Candidate each) -> !each.overdue())
            .thenComparingDouble(each -> (double) each.liveBytes() / each.bytes()));
    for (Candidate each : inTurn) {
      boolean first = chosen.isEmpty() && (totals.graceBytes() == 0 || each.overdue());
      if (each.bytes() <= room || first) {
        room -= each.bytes();
        chosen.add(each);
        taken.add(each.segment());
      }
    }
    chosen.addAll(
        worthMerging(
            small.stream().filter(each -> !taken.contains(each.segment())).toList(), room));
    chosen.sort(Comparator.comparing(Candidate::endOfLife));
    List<List<Candidate>> batches = new ArrayList<>();
    List<Candidate> batch = new ArrayList<>();
    long length = Segment.HEADER;
    for (Candidate each : chosen) {
      if (!batch.isEmpty() && length + each.liveBytes() > segmentBytes) {
        batches.add(List.copyOf(batch));
        batch.clear();
        length = Segment.HEADER;
      }
      batch.add(each);
      length += each.liveBytes();
    }
    if (!batch.isEmpty()) {
      batches.add(List.copyOf(batch));
    }
    return batches;
  }

  // Those that live longest first: the others may die before it pays.
  private List<Candidate> worthMerging(List<Candidate> small, long room) {
    if (small.size() <= SMALL_SEGMENTS) {
      return List.of();
    }
    List<Candidate> byEnd = new ArrayList<>(small);
    byEnd.sort(Comparator.comparing(Candidate::endOfLife).reversed());
    List<Candidate> merge = new ArrayList<>();
    long left = room;
    long length = Segment.HEADER;
    for (Candidate each : byEnd) {
      if (each.bytes() <= left && length + each.liveBytes() <= segmentBytes) {
        left -= each.bytes();
        length += each.liveBytes();
        merge.add(each);
      }
    }
    return merge.size() >= FEWEST_SMALL ? merge : List.of();
  }
}
