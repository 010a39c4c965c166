package net.postern.vault;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One walk over everything that is in the stores: each object is read in full, in every store, and
 * compared; then what lies among the objects and is none is cleared away. For one thread.
 */
final class ScrubPass {
  private static final Logger LOG = LoggerFactory.getLogger(ScrubPass.class);

  /** Unfinished writes that are younger may be going on. */
  private static final Duration UNFINISHED = Duration.ofDays(1);

  private final Mender mender;
  private final Supplier<List<ObjectStore>> stores;
  private final boolean repair;
  private final Clock clock;
  private final Supplier<Boolean> stop;
  private final Census census = new Census();
  private final Map<String, Tally> tallies = new HashMap<>();
  private final Set<String> gaps;
  private boolean begun;

  /** What was done in one store. */
  static final class Tally {
    long objects;
    long bytes;

    /** Whether everything in it was looked at. */
    boolean full = true;
  }

  /** Is told what happens. */
  interface Listener {
    void found(Finding finding);

    /** Everything up to an object was looked at. */
    void reached(String object);
  }

  /**
   * @param stores asked at each object: those that can be used now
   * @param gaps stores that were not looked at in full by the part before, when a pass goes on
   * @param stop asked at each object: whether to end early
   */
  ScrubPass(
      Mender mender,
      Supplier<List<ObjectStore>> stores,
      Set<String> gaps,
      boolean repair,
      Clock clock,
      Supplier<Boolean> stop) {
    this.mender = mender;
    this.stores = stores;
    this.gaps = gaps;
    this.repair = repair;
    this.clock = clock;
    this.stop = stop;
  }

  /** What was done so far, by store. */
  Map<String, Tally> tallies() {
    return tallies;
  }

  /**
   * Walks.
   *
   * @param after the last object of a walk that was broken off; empty to begin
   * @return whether it came to the end
   * @throws IOException when no store can be listed
   */
  boolean run(String after, Listener listener) throws IOException {
    stores.get().forEach(store -> tally(store.name()));
    begun = true;
    List<String> kinds = CatchUp.kinds();
    int first = 0;
    for (int i = 0; i < kinds.size(); i++) {
      first = after.startsWith(kinds.get(i) + "/") ? i : first;
    }
    for (String kind : kinds.subList(first, kinds.size())) {
      String from = after.startsWith(kind + "/") ? after : "";
      if (!census.walk(
          kind,
          stores.get(),
          from,
          (object, lengths, listed) -> {
            look(object, lengths, listed, listener);
            listener.reached(object);
            return !stop.get();
          })) {
        return false;
      }
    }
    for (ObjectStore store : stores.get()) {
      try {
        tidy(store, listener);
      } catch (IOException e) {
        tally(store.name()).full = false;
        LOG.warn("store {}: cannot be tidied: {}", store.name(), e.toString());
      }
    }
    return true;
  }

  private void look(
      String object, Map<ObjectStore, Long> lengths, List<ObjectStore> listed, Listener listener) {
    // A store that went down since it was listed is no longer asked.
    List<ObjectStore> now = stores.get().stream().filter(listed::contains).toList();
    Set<String> asked = new HashSet<>();
    for (ObjectStore store : now) {
      asked.add(store.name());
      Tally tally = tally(store.name());
      tally.objects += lengths.containsKey(store) ? 1 : 0;
      tally.bytes += lengths.getOrDefault(store, 0L);
    }
    tallies.forEach((name, tally) -> tally.full &= asked.contains(name));
    if (now.isEmpty()) {
      return;
    }
    try {
      Mender.Report report = repair ? mender.mend(object, now) : mender.check(object, now);
      report.findings().forEach(listener::found);
      if (!report.complete()) {
        now.forEach(store -> tally(store.name()).full = false);
      }
    } catch (IOException | RuntimeException e) {
      // The others are to be looked at all the same.
      now.forEach(store -> tally(store.name()).full = false);
      LOG.warn("{} cannot be checked now: {}", object, e.toString());
    }
  }

  private void tidy(ObjectStore store, Listener listener) throws IOException {
    List<String> kinds = new ArrayList<>(CatchUp.kinds());
    kinds.add(StoreWatch.PROBE);
    kinds.add(ObjectStore.ASIDE);
    for (String kind : kinds) {
      List<ObjectStore.Stray> strays = new ArrayList<>();
      store.strays(kind, strays::add);
      for (ObjectStore.Stray stray : strays) {
        clear(store, stray, listener);
      }
    }
    List<String> probes = new ArrayList<>();
    store.list(StoreWatch.PROBE, each -> probes.add(each.object()));
    for (String probe : probes) {
      // One that is in use right now may go too: it has served when it was written.
      if (repair) {
        store.delete(probe);
      }
      LOG.debug("store {}: {} was left over", store.name(), probe);
    }
  }

  private void clear(ObjectStore store, ObjectStore.Stray stray, Listener listener) {
    Instant old = clock.instant().minus(UNFINISHED);
    if (stray.unfinished() && stray.modified().isAfter(old)) {
      return;
    }
    Damage damage = stray.unfinished() ? Damage.LEFTOVER : Damage.FOREIGN;
    String detail = stray.unfinished() ? "a write that was not finished" : "put aside";
    Finding.Outcome outcome = Finding.Outcome.FOUND;
    if (repair) {
      try {
        store.clear(stray);
        outcome = Finding.Outcome.REPAIRED;
      } catch (IOException e) {
        outcome = Finding.Outcome.UNREPAIRED;
        detail = "cannot be cleared away: " + e.getMessage();
      }
    }
    listener.found(new Finding(store.name(), stray.path(), damage, outcome, detail));
  }

  private Tally tally(String store) {
    return tallies.computeIfAbsent(
        store,
        name -> {
          Tally tally = new Tally();
          // One that comes in the middle was away before.
          tally.full = !begun && !gaps.contains(name);
          return tally;
        });
  }

  /** Gathers findings, and nothing else. */
  static Listener gathering(Consumer<Finding> findings) {
    return new Listener() {
      @Override
      public void found(Finding finding) {
        findings.accept(finding);
      }

      @Override
      public void reached(String object) {}
    };
  }
}
