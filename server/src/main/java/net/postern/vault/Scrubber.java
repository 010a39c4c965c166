package net.postern.vault;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import net.postern.blob.ObjectStore;
import net.postern.blob.PacedStore;
import net.postern.config.VaultConfig;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scrubs: reads everything in all stores again and again, slowly, and repairs what is damaged
 * before the last good copy is. A pass begins every {@code vault.scrub_every}; a store is read at
 * {@code vault.scrub_rate} at most. A restart goes on where the pass was.
 *
 * <p>What no copy could heal is tried again every hour: a store that was away may have it.
 *
 * <p>Threads: one that scrubs. The methods for callers may be used by any thread.
 */
public final class Scrubber implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Scrubber.class);

  /** Time between two looks whether something is to be done. */
  private static final Duration STEP = Duration.ofSeconds(1);

  /** How far a pass has come is kept so often: what comes after is done again. */
  private static final Duration KEEP_STATE = Duration.ofSeconds(5);

  /** Time before what could not be repaired is tried again. */
  private static final Duration RETRY = Duration.ofHours(1);

  private final VaultConfig config;
  private final StoreUpkeep upkeep;
  private final Path file;
  private final Events events;
  private final Clock clock;
  private final Map<ObjectStore, PacedStore> paced = new HashMap<>();
  private final Thread thread;
  private volatile ScrubState state;
  private volatile boolean closed;

  // Owned by the thread.
  private Instant retryAt = Instant.MIN;
  private Instant savedAt = Instant.MIN;
  private int found;
  private int repaired;
  private int unrepaired;

  /**
   * Begins to scrub.
   *
   * @param file where it is kept how far the pass has come
   */
  public Scrubber(VaultConfig config, SegmentVault vault, Path file, Events events, Clock clock) {
    this.config = config;
    this.upkeep = vault.upkeep();
    this.file = file;
    this.events = events;
    this.clock = clock;
    this.state = ScrubState.load(file);
    for (ObjectStore store : upkeep.all()) {
      paced.put(store, new PacedStore(store, config.scrubRate().bytes(), () -> closed));
    }
    this.thread = Thread.ofPlatform().name("scrub").daemon().unstarted(this::run);
    thread.start();
  }

  /** How far it has come, and what it found. */
  public ScrubState state() {
    return state;
  }

  private void run() {
    while (!closed) {
      try {
        Instant now = clock.instant();
        if (state.underWay() || due(now)) {
          pass(now);
        } else if (!state.unrepaired().isEmpty() && retryAt.isBefore(now)) {
          retry();
        }
      } catch (IOException | RuntimeException | Error e) {
        LOG.warn("the check of the stores broke off; it goes on later: {}", e.toString());
      }
      LockSupport.parkNanos(STEP.toNanos());
    }
  }

  private boolean due(Instant now) {
    return state.started().isEmpty()
        || !state.started().get().plus(config.scrubEvery()).isAfter(now);
  }

  private void pass(Instant now) throws IOException {
    if (!state.underWay()) {
      state = new ScrubState(Optional.of(now), "", true, state.stores(), List.of(), Set.of());
      found = 0;
      repaired = 0;
      unrepaired = 0;
      save();
    }
    ScrubPass pass =
        new ScrubPass(upkeep.mender(), this::usable, state.gaps(), true, clock, () -> closed);
    Map<String, ScrubPass.Tally> counted = new HashMap<>();
    boolean ended;
    try {
      ended =
          pass.run(
              state.after(),
              new ScrubPass.Listener() {
                @Override
                public void found(Finding finding) {
                  note(finding);
                }

                @Override
                public void reached(String object) {
                  count(pass, counted);
                  state =
                      new ScrubState(
                          state.started(),
                          object,
                          true,
                          state.stores(),
                          state.unrepaired(),
                          gaps(pass));
                  if (savedAt.plus(KEEP_STATE).isBefore(clock.instant())) {
                    save();
                  }
                }
              });
    } finally {
      count(pass, counted);
    }
    if (ended) {
      ended(pass);
    }
    save();
  }

  // Stores of which this pass did not see all that it came by, before a restart too.
  private Set<String> gaps(ScrubPass pass) {
    Set<String> gaps = new HashSet<>();
    for (ObjectStore store : paced.keySet()) {
      ScrubPass.Tally tally = pass.tallies().get(store.name());
      if (tally == null || !tally.full) {
        gaps.add(store.name());
      }
    }
    return gaps;
  }

  // A pass that was resumed is a pass all the same: what came before was looked at too, but in the
  // stores that the state names.
  private void ended(ScrubPass pass) {
    Instant now = clock.instant();
    Map<String, ScrubState.Store> stores = new HashMap<>(state.stores());
    pass.tallies()
        .forEach(
            (name, tally) -> {
              if (tally.full) {
                stores.merge(name, ScrubState.Store.NEW.full(now), (was, full) -> was.full(now));
              }
            });
    Instant began = state.started().orElse(now);
    Duration took = Duration.between(began, now);
    state = new ScrubState(state.started(), "", false, stores, state.unrepaired(), Set.of());
    retryAt = now.plus(RETRY);
    long objects = pass.tallies().values().stream().mapToLong(tally -> tally.objects).sum();
    long bytes = pass.tallies().values().stream().mapToLong(tally -> tally.bytes).sum();
    boolean full =
        pass.tallies().size() == paced.size()
            && pass.tallies().values().stream().allMatch(tally -> tally.full);
    events.emit(new MailEvent.Scrubbed(objects, bytes, found, repaired, unrepaired, full, took));
    if (took.compareTo(config.scrubEvery()) > 0) {
      LOG.warn(
          "checking all stores took {}, longer than vault.scrub_every: raise vault.scrub_rate",
          took);
    }
  }

  private void count(ScrubPass pass, Map<String, ScrubPass.Tally> counted) {
    Map<String, ScrubState.Store> stores = new HashMap<>(state.stores());
    pass.tallies()
        .forEach(
            (name, tally) -> {
              ScrubPass.Tally before =
                  counted.computeIfAbsent(name, store -> new ScrubPass.Tally());
              stores.merge(
                  name,
                  ScrubState.Store.NEW.plus(
                      tally.objects - before.objects, tally.bytes - before.bytes),
                  (was, more) -> was.plus(more.objects(), more.bytes()));
              before.objects = tally.objects;
              before.bytes = tally.bytes;
            });
    state =
        new ScrubState(
            state.started(),
            state.after(),
            state.underWay(),
            stores,
            state.unrepaired(),
            state.gaps());
  }

  private void note(Finding finding) {
    found++;
    Map<String, ScrubState.Store> stores = new HashMap<>(state.stores());
    stores.merge(
        finding.store(), ScrubState.Store.NEW.plus(finding), (was, more) -> was.plus(finding));
    List<Finding> open = new ArrayList<>(state.unrepaired());
    if (finding.outcome() == Finding.Outcome.REPAIRED) {
      repaired++;
    } else {
      unrepaired++;
      if (open.size() < ScrubState.MAX_UNREPAIRED) {
        open.add(finding);
      }
    }
    state =
        new ScrubState(
            state.started(), state.after(), state.underWay(), stores, open, state.gaps());
    events.emit(StoreUpkeep.event(finding));
  }

  private void retry() throws IOException {
    retryAt = clock.instant().plus(RETRY);
    Set<String> objects =
        state.unrepaired().stream()
            .map(Finding::object)
            .collect(Collectors.toCollection(LinkedHashSet::new));
    List<Finding> left = new ArrayList<>();
    for (String object : objects) {
      if (closed) {
        return;
      }
      try {
        for (Finding finding : upkeep.mender().mend(object, usable()).findings()) {
          if (finding.outcome() == Finding.Outcome.REPAIRED) {
            events.emit(StoreUpkeep.event(finding));
          } else {
            left.add(finding);
          }
        }
      } catch (IOException | RuntimeException e) {
        LOG.debug("{} cannot be looked at now", object, e);
        state.unrepaired().stream()
            .filter(finding -> finding.object().equals(object))
            .forEach(left::add);
      }
    }
    state =
        new ScrubState(
            state.started(), state.after(), state.underWay(), state.stores(), left, state.gaps());
    save();
  }

  private List<ObjectStore> usable() {
    List<ObjectStore> usable = new ArrayList<>();
    for (ObjectStore store : upkeep.up()) {
      PacedStore slow = paced.get(store);
      if (slow != null) {
        usable.add(slow);
      }
    }
    return usable;
  }

  private void save() {
    try {
      state.save(file);
      savedAt = clock.instant();
    } catch (IOException e) {
      LOG.warn("how far the check of the stores has come cannot be kept in {}: {}", file, e);
    }
  }

  /** Ends the thread; waits for at most five seconds for an object that is being looked at. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
