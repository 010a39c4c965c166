package net.postern.vault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a store that was away up to date by copying what it lacks. What is lacking is seen from
 * the listings of the stores themselves: they are the queue, and there is no other that a crash
 * could lose.
 */
final class CatchUp {
  private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);

  private final Mender mender;
  private final SegmentFacts facts;
  private final Supplier<Boolean> stop;
  private final Census census = new Census();
  private final Map<String, AtomicLong> backlog = new ConcurrentHashMap<>();

  /**
   * @param stop asked between two objects
   */
  CatchUp(Mender mender, SegmentFacts facts, Supplier<Boolean> stop) {
    this.mender = mender;
    this.facts = facts;
    this.stop = stop;
  }

  /** All kinds of objects that every store is to hold. */
  static List<String> kinds() {
    List<String> kinds = new ArrayList<>(Parcel.KINDS);
    kinds.add(Segment.KIND);
    return kinds;
  }

  /** How many objects a store is known to lack, or to have less of. */
  long backlog(String store) {
    AtomicLong known = backlog.get(store);
    return known == null ? 0 : known.get();
  }

  /**
   * What a round came to.
   *
   * @param copies how many were made
   * @param cutOff whether it ended early, since nobody could tell what became of a segment
   */
  record Round(int copies, boolean cutOff) {}

  /**
   * Copies every object that a store lacks, or has less of, from those that have it. A round ends
   * at the first segment of which nothing is known: a database that is away takes its time for each
   * question.
   *
   * @throws IOException when no store can be listed
   */
  Round run(List<ObjectStore> up) throws IOException {
    up.forEach(store -> backlog(store).set(0));
    int[] lacking = {0};
    boolean whole =
        each(
            up,
            (object, lengths, listed) -> {
              lacking[0]++;
              lacking(lengths, listed).forEach(store -> backlog(store).incrementAndGet());
            });
    int[] copies = {0};
    if (lacking[0] > 0) {
      whole &= each(up, (object, lengths, listed) -> copies[0] += mend(object, lengths, listed));
    }
    return new Round(copies[0], !whole && !stop.get());
  }

  private int mend(String object, Map<ObjectStore, Long> lengths, List<ObjectStore> listed) {
    try {
      Mender.Report report = mender.mend(object, listed);
      boolean whole =
          report.findings().stream()
              .noneMatch(finding -> finding.outcome() == Finding.Outcome.UNREPAIRED);
      if (report.complete() && whole) {
        lacking(lengths, listed)
            .forEach(store -> backlog(store).updateAndGet(count -> Math.max(0, count - 1)));
      }
      return report.copies();
    } catch (IOException | RuntimeException e) {
      LOG.warn("cannot bring {} up to date: {}", object, e.toString());
      return 0;
    }
  }

  @FunctionalInterface
  private interface Lacking {
    void object(String object, Map<ObjectStore, Long> lengths, List<ObjectStore> listed);
  }

  // Gives back whether it came to the end.
  private boolean each(List<ObjectStore> up, Lacking lacking) throws IOException {
    for (String kind : kinds()) {
      boolean whole =
          census.walk(
              kind,
              up,
              "",
              (object, lengths, listed) -> {
                boolean even =
                    lengths.size() == listed.size() && new HashSet<>(lengths.values()).size() == 1;
                if (!even) {
                  try {
                    if (isKept(object)) {
                      lacking.object(object, lengths, listed);
                    }
                  } catch (IOException e) {
                    LOG.warn("catching up ends at {} for now: {}", object, e.toString());
                    return false;
                  }
                }
                return !stop.get();
              });
      if (!whole) {
        return false;
      }
    }
    return true;
  }

  private boolean isKept(String object) throws IOException {
    return !object.startsWith(Segment.KIND + "/")
        || (Segment.name(object).isPresent()
            && facts.fate(Segment.name(object).get()) != SegmentFacts.Fate.LEFT_ALONE);
  }

  private static List<ObjectStore> lacking(
      Map<ObjectStore, Long> lengths, List<ObjectStore> listed) {
    long most = lengths.values().stream().mapToLong(Long::longValue).max().orElse(0);
    return listed.stream().filter(store -> !Long.valueOf(most).equals(lengths.get(store))).toList();
  }

  private AtomicLong backlog(ObjectStore store) {
    return backlog.computeIfAbsent(store.name(), name -> new AtomicLong());
  }
}
