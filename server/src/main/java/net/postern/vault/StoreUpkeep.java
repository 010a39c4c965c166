package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the stores: notices one that runs full, tries those that are down, and brings a store
 * that was away up to date by copying what it lacks.
 *
 * <p>Threads: one that copies; and each look at a store happens on a short-lived thread of its own,
 * at most one for each store, because a store that hangs must not keep the others from coming back.
 * The methods for callers may be used by any thread.
 */
public final class StoreUpkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StoreUpkeep.class);

  /** Time between two looks at the stores' health. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** Written to try a store: large enough that a full disk refuses it. */
  private static final int PROBE_BYTES = 64 << 10;

  private final List<StoreLane> lanes;
  private final long reserve;
  private final Supplier<Optional<UUID>> openSegment;
  private final Predicate<UUID> dropped;
  private final Runnable returned;
  private final Events events;
  private final AtomicLong repaired = new AtomicLong();
  private final Set<StoreLane> looking = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean closed;
  private volatile boolean equalizeWanted = true;

  /**
   * @param dropped whether a segment is on its way out of all stores: it is not copied to any
   * @param returned told when a store takes mail again; must not block
   */
  StoreUpkeep(
      List<StoreLane> lanes,
      long reserve,
      Supplier<Optional<UUID>> openSegment,
      Predicate<UUID> dropped,
      Runnable returned,
      Events events) {
    this.lanes = lanes;
    this.reserve = reserve;
    this.openSegment = openSegment;
    this.dropped = dropped;
    this.returned = returned;
    this.events = events;
    this.thread = Thread.ofPlatform().name("store-upkeep").daemon().start(this::run);
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

  /** How many objects were copied to a store that lacked them, since start. */
  public long repaired() {
    return repaired.get();
  }

  /**
   * Every segment that any store lists.
   *
   * @param names of the segments
   * @param complete whether so many stores were listed that every acknowledged frame is in one of
   *     the segments
   */
  public record Segments(List<UUID> names, boolean complete) {}

  /**
   * Lists segments.
   *
   * @param minimum fewest stores that have each acknowledged frame
   * @throws IOException when no store can be listed
   */
  public Segments segments(int minimum) throws IOException {
    Listing listing = listing(Segment.KIND, readable());
    List<UUID> names = new ArrayList<>();
    for (String object : listing.found().keySet()) {
      Segment.name(object).ifPresent(names::add);
    }
    return new Segments(names, listing.listed() > lanes.size() - minimum);
  }

  /**
   * The messages in a segment that was written and ended by this process.
   *
   * @throws IOException when no store gives a whole copy
   */
  public List<MessageId> ids(UUID segment) throws IOException {
    IOException failure = new IOException("no store has a whole copy of segment " + segment);
    for (ObjectStore store : readable()) {
      try {
        return Segment.ids(store, segment);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }

  /** Stores that are worth asking: those that do not hang, the ones that are up first. */
  List<ObjectStore> readable() {
    List<ObjectStore> order = new ArrayList<>();
    lanes.stream().filter(StoreLane::up).forEach(lane -> order.add(lane.store()));
    lanes.stream()
        .filter(lane -> !lane.up() && !lane.busy())
        .forEach(lane -> order.add(lane.store()));
    return order;
  }

  /**
   * Copies every object that a store lacks, or has less of, from those that have it. What a copy
   * has is never taken from it: a store gets only bytes that hold every whole frame that it had.
   *
   * @return how many copies were made
   * @throws IOException when no store can be listed
   */
  public int equalize() throws IOException {
    List<ObjectStore> up =
        lanes.stream().filter(StoreLane::up).<ObjectStore>map(StoreLane::store).toList();
    int copies = 0;
    List<String> kinds = new ArrayList<>(Parcel.KINDS);
    kinds.add(Segment.KIND);
    for (String kind : kinds) {
      for (Map.Entry<String, Map<ObjectStore, Long>> entry : listing(kind, up).found().entrySet()) {
        if (closed) {
          return copies;
        }
        Map<ObjectStore, Long> held = entry.getValue();
        if (held.size() == up.size() && new HashSet<>(held.values()).size() == 1) {
          continue;
        }
        try {
          copies +=
              kind.equals(Segment.KIND) ? mend(entry.getKey(), up) : mendParcel(entry.getKey(), up);
        } catch (IOException | RuntimeException e) {
          LOG.warn("cannot bring {} up to date: {}", entry.getKey(), e.toString());
        }
      }
    }
    return copies;
  }

  /**
   * Compares all copies of a segment byte for byte and mends those that lack something, as after a
   * crash.
   *
   * @return how many copies were made
   */
  public int mend(UUID segment) throws IOException {
    return mend(
        Segment.object(segment),
        lanes.stream().filter(StoreLane::up).<ObjectStore>map(StoreLane::store).toList());
  }

  private int mend(String object, List<ObjectStore> up) throws IOException {
    Optional<UUID> segment = Segment.name(object);
    if (segment.isEmpty() || openSegment.get().equals(segment) || dropped.test(segment.get())) {
      return 0;
    }
    SegmentCopies copies = SegmentCopies.find(up, segment.get());
    SegmentCopies.Comparison found = copies.compare();
    if (found.gaps()) {
      LOG.error("segment {} has a damaged part that is whole in no store", segment.get());
    }
    Set<ObjectStore> targets = new HashSet<>(up);
    copies.all().forEach(copy -> targets.remove(copy.store()));
    found.lacking().forEach(copy -> targets.add(copy.store()));
    if (targets.isEmpty()) {
      return 0;
    }
    byte[] image = copies.image(found.end());
    int made = 0;
    for (ObjectStore store : targets) {
      made += put(store, object, image);
    }
    return made;
  }

  // Of the good copies the one of the highest generation is right.
  private int mendParcel(String object, List<ObjectStore> up) throws IOException {
    Map<ObjectStore, Parcel> good = new HashMap<>();
    for (ObjectStore store : up) {
      try {
        good.put(store, Replicas.read(store, object));
      } catch (IOException e) {
        LOG.debug("store {} has no good copy of {}", store.name(), object, e);
      }
    }
    Parcel right =
        good.values().stream()
            .max(Comparator.naturalOrder())
            .orElseThrow(() -> new IOException("no store has a whole copy"));
    int made = 0;
    for (ObjectStore store : up) {
      if (!right.equals(good.get(store))) {
        made += put(store, object, right.encode(object));
      }
    }
    return made;
  }

  private int put(ObjectStore store, String object, byte[] bytes) {
    try {
      store.put(object, ByteBuffer.wrap(bytes));
      repaired.incrementAndGet();
      return 1;
    } catch (IOException e) {
      LOG.warn("store {}: cannot take its copy of {}: {}", store.name(), object, e.toString());
      return 0;
    }
  }

  private record Listing(Map<String, Map<ObjectStore, Long>> found, int listed) {}

  private static Listing listing(String kind, List<ObjectStore> stores) throws IOException {
    Map<String, Map<ObjectStore, Long>> found = new HashMap<>();
    int listed = 0;
    IOException failure = new IOException("no store can be listed");
    for (ObjectStore store : stores) {
      try {
        store.list(
            kind,
            each ->
                found
                    .computeIfAbsent(each.object(), name -> new HashMap<>())
                    .put(store, each.length()));
        listed++;
      } catch (IOException e) {
        LOG.warn("store {}: cannot be listed: {}", store.name(), e.toString());
        failure.addSuppressed(e);
      }
    }
    if (listed == 0) {
      throw failure;
    }
    return new Listing(found, listed);
  }

  private void run() {
    while (!closed) {
      try {
        for (StoreLane lane : lanes) {
          if (looking.add(lane)) {
            Thread.ofPlatform()
                .name("store-look-" + lane.store().name())
                .daemon()
                .start(() -> look(lane));
          }
        }
        if (equalizeWanted && lanes.stream().anyMatch(StoreLane::up)) {
          equalizeWanted = false;
          int copies = equalize();
          if (copies > 0) {
            LOG.info("copied {} objects to stores that lacked them", copies);
          }
        }
      } catch (IOException | RuntimeException | Error e) {
        LOG.warn("upkeep of the stores failed; it is tried again", e);
        equalizeWanted = true;
      }
      LockSupport.parkNanos(INTERVAL.toNanos());
    }
  }

  private void look(StoreLane lane) {
    try {
      lookAt(lane);
    } catch (RuntimeException e) {
      LOG.warn("store {}: cannot look at its health", lane.store().name(), e);
    } finally {
      looking.remove(lane);
    }
  }

  private void lookAt(StoreLane lane) {
    String name = lane.store().name();
    if (lane.up()) {
      String full = nearlyFull(lane);
      if (!full.isEmpty() && lane.up()) {
        LOG.error("store {} takes no mail: {}", name, full);
        lane.markDown(full);
        events.emit(new MailEvent.StoreHealth(name, false, full));
      }
    } else if (!lane.busy() && nearlyFull(lane).isEmpty() && probe(lane) && !lane.busy()) {
      LOG.info("store {} takes mail again", name);
      lane.markUp();
      events.emit(new MailEvent.StoreHealth(name, true, ""));
      equalizeWanted = true;
      returned.run();
      LockSupport.unpark(thread);
    }
  }

  private String nearlyFull(StoreLane lane) {
    try {
      long usable = lane.store().usableBytes();
      return usable >= reserve
          ? ""
          : "%d MiB free, vault.reserve is %d MiB".formatted(usable >> 20, reserve >> 20);
    } catch (IOException e) {
      return "cannot tell its free space: " + e;
    }
  }

  private static boolean probe(StoreLane lane) {
    String object = "probe/" + UUID.randomUUID();
    try {
      lane.store().put(object, ByteBuffer.allocate(PROBE_BYTES));
      lane.store().delete(object);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Ends the thread; waits for at most five seconds for a copy that is under way. */
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
