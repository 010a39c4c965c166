package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the stores: notices one that runs full, tries those that are down, and brings a store
 * that was away up to date by copying what it lacks. All of it runs on one thread of its own; the
 * methods for callers may be used by any thread.
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
  private final Runnable returned;
  private final Events events;
  private final AtomicLong repaired = new AtomicLong();
  private final Thread thread;
  private volatile boolean closed;
  private volatile boolean equalizeWanted = true;

  /**
   * @param returned told when a store takes mail again; must not block
   */
  StoreUpkeep(
      List<StoreLane> lanes,
      long reserve,
      Supplier<Optional<UUID>> openSegment,
      Runnable returned,
      Events events) {
    this.lanes = lanes;
    this.reserve = reserve;
    this.openSegment = openSegment;
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
  void equalizeSoon() {
    equalizeWanted = true;
  }

  /** How many objects were copied to a store that lacked them, since start. */
  public long repaired() {
    return repaired.get();
  }

  /**
   * Every segment that any reachable store lists.
   *
   * @throws IOException when no store can be listed
   */
  public List<UUID> segments() throws IOException {
    List<UUID> names = new ArrayList<>();
    for (String object : listing(Segment.KIND).keySet()) {
      names.add(Segment.name(object));
    }
    return names;
  }

  /**
   * Walks a segment in the store that has most whole frames of it, and gives the other stores the
   * same bytes: after a crash the ends of a segment may differ.
   *
   * @throws IOException when no store can give it
   */
  void walk(UUID segment, Segment.Visitor visitor) throws IOException {
    ObjectStore best = null;
    long most = -1;
    boolean differ = false;
    IOException failure = new IOException("no store can give segment " + segment);
    for (StoreLane lane : lanes) {
      try {
        long whole = Segment.walk(lane.store(), segment, (place, header, frame) -> true);
        long length = lane.store().length(Segment.object(segment));
        differ |= whole != length || (most >= 0 && whole != most);
        if (whole > most) {
          most = whole;
          best = lane.store();
        }
      } catch (IOException e) {
        differ = true;
        failure.addSuppressed(e);
      }
    }
    if (best == null) {
      throw failure;
    }
    if (differ && !openSegment.get().equals(Optional.of(segment))) {
      spread(Segment.object(segment), best, most);
    }
    Segment.walk(best, segment, visitor);
  }

  /**
   * Copies every object that a store lacks, or has a shorter copy of, from one that has it.
   *
   * @return how many copies were made
   * @throws IOException when no store can be listed
   */
  public int equalize() throws IOException {
    int copies = 0;
    for (String kind : List.of("keys", Segment.KIND)) {
      for (Map.Entry<String, List<Held>> entry : listing(kind).entrySet()) {
        String object = entry.getKey();
        boolean isOpen = openSegment.get().map(Segment::object).equals(Optional.of(object));
        if (!isOpen) {
          copies += equalize(kind, object, entry.getValue());
        }
      }
    }
    return copies;
  }

  private record Held(StoreLane lane, long length) {}

  private Map<String, List<Held>> listing(String kind) throws IOException {
    Map<String, List<Held>> found = new HashMap<>();
    int listed = 0;
    IOException failure = new IOException("no store can be listed");
    for (StoreLane lane : lanes) {
      try {
        lane.store()
            .list(
                kind,
                each ->
                    found
                        .computeIfAbsent(each.object(), name -> new ArrayList<>())
                        .add(new Held(lane, each.length())));
        listed++;
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    if (listed == 0) {
      throw failure;
    }
    return found;
  }

  private int equalize(String kind, String object, List<Held> held) {
    boolean same = held.stream().mapToLong(Held::length).distinct().count() == 1;
    long expected = lanes.stream().filter(StoreLane::up).count();
    if (same && held.stream().filter(each -> each.lane().up()).count() >= expected) {
      return 0;
    }
    try {
      if (kind.equals(Segment.KIND)) {
        long before = repaired.get();
        walk(Segment.name(object), (place, header, frame) -> true);
        return (int) (repaired.get() - before);
      }
      Held longest =
          held.stream().max((a, b) -> Long.compare(a.length(), b.length())).orElseThrow();
      return spread(object, longest.lane().store(), longest.length());
    } catch (IOException e) {
      LOG.warn("cannot bring {} up to date: {}", object, e.toString());
      return 0;
    }
  }

  // Gives every store that is up the first `length` bytes of an object as `source` has them.
  private int spread(String object, ObjectStore source, long length) throws IOException {
    byte[] bytes = source.range(object, 0, Math.toIntExact(length));
    int copies = 0;
    for (StoreLane lane : lanes) {
      if (!lane.up()) {
        continue;
      }
      try {
        if (same(lane.store(), object, bytes)) {
          continue;
        }
        lane.store().put(object, ByteBuffer.wrap(bytes));
        repaired.incrementAndGet();
        copies++;
      } catch (IOException e) {
        LOG.warn(
            "store {}: cannot take its copy of {}: {}", lane.store().name(), object, e.toString());
      }
    }
    return copies;
  }

  private static boolean same(ObjectStore store, String object, byte[] bytes) throws IOException {
    try {
      return store.length(object) == bytes.length
          && java.util.Arrays.equals(store.range(object, 0, bytes.length), bytes);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private void run() {
    while (!closed) {
      try {
        for (StoreLane lane : lanes) {
          look(lane);
        }
        if (equalizeWanted) {
          equalizeWanted = false;
          int copies = equalize();
          if (copies > 0) {
            LOG.info("copied {} objects to stores that lacked them", copies);
          }
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("upkeep of the stores failed; it is tried again", e);
        equalizeWanted = true;
      }
      LockSupport.parkNanos(INTERVAL.toNanos());
    }
  }

  private void look(StoreLane lane) {
    String name = lane.store().name();
    if (lane.up()) {
      String full = nearlyFull(lane);
      if (!full.isEmpty()) {
        LOG.error("store {} takes no mail: {}", name, full);
        lane.markDown(full);
        events.emit(new MailEvent.StoreHealth(name, false, full));
      }
    } else if (!lane.busy() && nearlyFull(lane).isEmpty() && probe(lane)) {
      LOG.info("store {} takes mail again", name);
      lane.markUp();
      events.emit(new MailEvent.StoreHealth(name, true, ""));
      equalizeWanted = true;
      returned.run();
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

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join(10_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
