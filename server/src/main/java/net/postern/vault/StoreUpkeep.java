package net.postern.vault;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.blob.TimedStore;
import net.postern.config.VaultConfig;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the stores of a vault: their health ({@link StoreWatch}), and that a store which was
 * away gets what it lacks ({@link CatchUp}).
 *
 * <p>Threads: one that copies, one that begins a look at the stores' health every second whatever
 * the first does, and those of {@link StoreWatch}. The methods for callers may be used by any
 * thread.
 */
public final class StoreUpkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StoreUpkeep.class);

  /** Time between two looks at the stores' health. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** Time before a round is tried again that ended early, in nanoseconds. */
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Reads that take up to this long count as equally fast. */
  private static final int FAST_MILLIS = 8;

  /** Segments that wait to be looked at; the scrub finds what comes on top. */
  private static final int MAX_SUSPECTS = 1_000;

  private final List<StoreLane> lanes;
  private final SegmentFacts facts;
  private final StoreWatch watch;
  private final Mender mender;
  private final CatchUp catchUp;
  private final Events events;
  private final Set<UUID> suspects = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private final Thread looks;
  private volatile boolean closed;
  private volatile boolean equalizeWanted = true;
  private volatile boolean equalizing;

  /**
   * @param check tells genuine parcels from forged ones
   * @param returned told when a store takes mail again; must not block
   */
  StoreUpkeep(
      List<StoreLane> lanes,
      VaultConfig config,
      Supplier<Optional<UUID>> openSegment,
      SegmentFacts facts,
      ParcelCheck check,
      Runnable returned,
      Events events) {
    this.lanes = lanes;
    this.events = events;
    this.facts =
        segment ->
            openSegment.get().equals(Optional.of(segment))
                ? SegmentFacts.Fate.LEFT_ALONE
                : facts.fate(segment);
    this.watch =
        new StoreWatch(
            lanes,
            config.reserve().bytes(),
            () -> {
              returned.run();
              equalizeNow();
            },
            events);
    this.mender = new Mender(lanes.size(), config.minimum(), this.facts, check);
    this.catchUp = new CatchUp(mender, this.facts, () -> closed);
    this.thread = Thread.ofPlatform().name("store-upkeep").daemon().unstarted(this::run);
    this.looks = Thread.ofPlatform().name("store-watch").daemon().unstarted(this::look);
    thread.start();
    looks.start();
  }

  /** What is known of one store. */
  public record Health(String store, boolean up, String why) {}

  /** The state of every store, in configured order. */
  public List<Health> health() {
    return lanes.stream()
        .map(lane -> new Health(lane.store().name(), lane.up(), lane.why()))
        .toList();
  }

  /** Has the stores made equal soon: a segment has ended that not all of them got. */
  public void equalizeSoon() {
    equalizeWanted = true;
  }

  private void equalizeNow() {
    equalizeWanted = true;
    LockSupport.unpark(thread);
  }

  /**
   * Whether nothing is left to do, as far as is known: every store is up, and no round of copying
   * is wanted or under way.
   */
  public boolean isIdle() {
    return !equalizeWanted && !equalizing && lanes.stream().allMatch(StoreLane::up);
  }

  /** How many objects a store is known to lack, by the last look at all of them. */
  public long backlog(String store) {
    return catchUp.backlog(store);
  }

  /** How many objects were copied to a store that lacked them, since start. */
  public long repaired() {
    return mender.repaired();
  }

  /**
   * Every segment that any store lists.
   *
   * @param names of the segments
   * @param complete whether so many stores were listed that every acknowledged frame is in one of
   *     the segments
   * @param all whether every store was listed
   */
  public record Segments(List<UUID> names, boolean complete, boolean all) {}

  /**
   * Lists segments.
   *
   * @param minimum fewest stores that have each acknowledged frame
   * @throws IOException when no store can be listed
   */
  public Segments segments(int minimum) throws IOException {
    Set<UUID> names = new HashSet<>();
    int listed = 0;
    IOException failure = new IOException("no store can be listed");
    for (ObjectStore store : readable()) {
      try {
        store.list(Segment.KIND, each -> Segment.name(each.object()).ifPresent(names::add));
        listed++;
      } catch (IOException e) {
        LOG.warn("store {}: cannot be listed: {}", store.name(), e.toString());
        failure.addSuppressed(e);
      }
    }
    if (listed == 0) {
      throw failure;
    }
    return new Segments(
        List.copyOf(names), listed > lanes.size() - minimum, listed == lanes.size());
  }

  /**
   * Whether a segment is in no store, as far as that can be known: so many said so that none of its
   * acknowledged frames is anywhere.
   *
   * @param minimum fewest stores that have each acknowledged frame
   */
  public boolean isNowhere(UUID segment, int minimum) {
    SegmentCopies copies = SegmentCopies.ask(readable(), segment);
    return copies.all().isEmpty() && copies.missing().size() > lanes.size() - minimum;
  }

  /**
   * The messages in a segment that was written and ended by this process.
   *
   * @param length of the segment with all that was acknowledged, in bytes
   * @throws IOException when no store gives a copy of this length
   */
  List<MessageId> ids(UUID segment, long length) throws IOException {
    IOException failure =
        new IOException("no store has a copy of segment %s of %d bytes".formatted(segment, length));
    for (ObjectStore store : readable()) {
      try {
        return Segment.ids(store, segment, length);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }

  /**
   * All stores, best first: those that are up, that have no call hanging, that were fast of late.
   * None is left out, since every call is bounded.
   */
  List<ObjectStore> readable() {
    List<StoreLane> order = new ArrayList<>(lanes);
    order.sort(
        Comparator.<StoreLane>comparingInt(lane -> lane.up() ? 0 : lane.busy() ? 2 : 1)
            .thenComparing(lane -> lane.store().meter().hanging() > 0)
            .thenComparingInt(StoreUpkeep::slowness));
    return order.stream().<ObjectStore>map(StoreLane::store).toList();
  }

  // Roughly: stores that differ little keep their order, so that a disk's cache serves.
  private static int slowness(StoreLane lane) {
    long millis = TimeUnit.NANOSECONDS.toMillis(lane.store().meter().slowReadNanos());
    return Long.SIZE - Long.numberOfLeadingZeros(millis / FAST_MILLIS);
  }

  /** All stores, in configured order. */
  public List<TimedStore> all() {
    return lanes.stream().map(StoreLane::store).toList();
  }

  /** The stores that take mail now, in configured order. */
  List<ObjectStore> up() {
    return lanes.stream().filter(StoreLane::up).<ObjectStore>map(StoreLane::store).toList();
  }

  /** What compares and mends. */
  Mender mender() {
    return mender;
  }

  /** Has a segment looked at soon, of which a bad copy was met when it was read. */
  void mendSoon(UUID segment) {
    if (suspects.size() < MAX_SUSPECTS && suspects.add(segment)) {
      LockSupport.unpark(thread);
    }
  }

  // What is being written is looked at when it has ended.
  private void mendSuspects() {
    for (UUID segment : List.copyOf(suspects)) {
      if (closed) {
        return;
      }
      SegmentFacts.Fate fate;
      try {
        fate = facts.fate(segment);
      } catch (IOException e) {
        LOG.debug("segments that may be damaged are looked at later", e);
        return;
      }
      try {
        if (fate != SegmentFacts.Fate.LEFT_ALONE) {
          suspects.remove(segment);
          mender.mend(Segment.object(segment), up()).findings().stream()
              .map(StoreUpkeep::event)
              .forEach(events::emit);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("segment {} cannot be mended now: {}", segment, e.toString());
      }
    }
  }

  /** A finding as it goes to log and metrics. */
  static MailEvent event(Finding finding) {
    return new MailEvent.StoreDamage(
        finding.store(),
        finding.object(),
        finding.damage().name(),
        finding.outcome() == Finding.Outcome.REPAIRED,
        finding.detail());
  }

  /**
   * Copies every object that a store lacks, or has less of, from those that have it. What a copy
   * has is never taken from it: a store gets only bytes that hold every whole frame that it had.
   *
   * @return how many copies were made
   * @throws IOException when no store can be listed
   */
  public int equalize() throws IOException {
    return catchUp.run(up()).copies();
  }

  /**
   * Compares all copies of a segment byte for byte and mends those that lack something, as after a
   * crash.
   *
   * @return how many copies were made
   */
  public int mend(UUID segment) throws IOException {
    return mender.mend(Segment.object(segment), up()).copies();
  }

  /**
   * Gives a segment to a store that is down for want of space, from those that have it; nothing is
   * written to others that are full.
   *
   * @return whether the store got it
   * @throws IOException when no store has the segment
   */
  public boolean give(UUID segment, ObjectStore full) throws IOException {
    String object = Segment.object(segment);
    List<ObjectStore> stores = new ArrayList<>(up());
    for (StoreLane lane : lanes) {
      if (lane.full() && !lane.store().equals(full) && has(lane.store(), object)) {
        stores.add(lane.store());
      }
    }
    stores.add(full);
    return mender.mend(object, stores).findings().stream()
        .anyMatch(
            finding ->
                finding.store().equals(full.name())
                    && finding.outcome() == Finding.Outcome.REPAIRED);
  }

  private static boolean has(ObjectStore store, String object) {
    try {
      return store.length(object) > 0;
    } catch (IOException e) {
      return false;
    }
  }

  private void look() {
    while (!closed) {
      try {
        watch.look();
      } catch (RuntimeException | Error e) {
        LOG.warn("cannot look at the health of the stores; it is tried again", e);
      }
      LockSupport.parkNanos(INTERVAL.toNanos());
    }
  }

  private void run() {
    long notBefore = System.nanoTime();
    while (!closed) {
      try {
        mendSuspects();
        if (equalizeWanted
            && System.nanoTime() - notBefore >= 0
            && lanes.stream().anyMatch(StoreLane::up)) {
          // In this order: what is wanted is never seen as done.
          equalizing = true;
          equalizeWanted = false;
          CatchUp.Round round = catchUp.run(up());
          if (round.copies() > 0) {
            LOG.info("copied {} objects to stores that lacked them", round.copies());
          }
          if (round.cutOff()) {
            equalizeWanted = true;
            notBefore = System.nanoTime() + RETRY_NANOS;
          }
        }
      } catch (IOException | RuntimeException | Error e) {
        LOG.warn("upkeep of the stores failed; it is tried again", e);
        equalizeWanted = true;
      } finally {
        equalizing = false;
      }
      LockSupport.parkNanos(INTERVAL.toNanos());
    }
  }

  /** Ends the threads; waits for at most five seconds for a copy that is under way. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    LockSupport.unpark(looks);
    try {
      thread.join(5_000);
      looks.join(1_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
