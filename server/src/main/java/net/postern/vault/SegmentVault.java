package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import net.postern.batch.GroupCommit;
import net.postern.blob.ObjectStore;
import net.postern.blob.TimedStore;
import net.postern.config.VaultConfig;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The vault over several stores.
 *
 * <p>Threads: callers encrypt on their own threads; one committing thread puts waiting frames
 * together and hands the bytes to one {@link StoreLane} for each store; one upkeep thread looks
 * after stores that are down ({@link StoreUpkeep}). The current segment belongs to the committing
 * thread.
 *
 * <p>A segment is written by the stores that were up when it was begun. When that set changes, by
 * failure or recovery, the segment ends and the next begins, so that all copies of a segment that
 * are whole are equal, and a store lacks only whole segments.
 */
public final class SegmentVault implements MessageVault, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SegmentVault.class);

  /** Most frames in one sync. */
  private static final int GROUP_FRAMES = 512;

  /** Most bytes in one sync; the buffer for it is kept. */
  private static final int GROUP_BYTES = 4 << 20;

  /** About what a sync itself takes: docs/performance.md has the measurements. */
  private static final Duration LINGER = Duration.ofNanos(700_000);

  /** Most frames that wait for the next sync; further callers block. */
  private static final int QUEUE = 4_096;

  /**
   * When fewer stores than needed have answered, they get this many times {@code vault.store_wait}:
   * a disk that all share may stall for seconds, and the client waits for minutes.
   */
  private static final int PATIENCE = 5;

  /** No frame: submitted to have the open segment looked at, with nothing to append. */
  private static final byte[] NOTHING = new byte[0];

  /** Where that is kept. */
  private static final UUID NOWHERE = new UUID(0, 0);

  private final VaultConfig config;
  private final SegmentNames names;
  private final SegmentFacts facts;
  private final List<StoreLane> lanes;
  private final FrameCodec codec;
  private final StoreReader reader;
  private final Events events;
  private final Clock clock;
  private final StoreUpkeep upkeep;
  private final GroupCommit<byte[], Kept> commits;

  /** The segment that is being written. */
  private record Open(
      UUID segment, Set<StoreLane> members, long sinceMillis, long length, boolean started) {}

  // Owned by the committing thread; read by others only to leave the segment alone.
  private volatile Optional<Open> open = Optional.empty();

  // Segments that this process ended, and how long each is with all that was acknowledged; until
  // someone knows that the ledger has all of them.
  private final Map<UUID, Long> ended = new ConcurrentHashMap<>();
  private ByteBuffer buffer = ByteBuffer.allocateDirect(GROUP_BYTES + Segment.HEADER);

  /**
   * Opens the vault and starts its threads.
   *
   * @param stores at least {@code vault.minimum}
   */
  public SegmentVault(
      VaultConfig config,
      List<? extends ObjectStore> stores,
      KeyRing keys,
      Events events,
      Clock clock) {
    this(
        config,
        stores,
        keys,
        new SegmentNames(UUID.randomUUID()),
        SegmentFacts.ALL_KEPT,
        events,
        clock);
  }

  /**
   * Opens the vault and starts its threads.
   *
   * @param stores at least {@code vault.minimum}
   * @param names of the segments that it writes
   * @param facts what is known of segments that this process does not write
   */
  public SegmentVault(
      VaultConfig config,
      List<? extends ObjectStore> stores,
      KeyRing keys,
      SegmentNames names,
      SegmentFacts facts,
      Events events,
      Clock clock) {
    this.config = config;
    this.names = names;
    this.facts = facts;
    this.lanes =
        stores.stream()
            .map(store -> new StoreLane(TimedStore.around(store, config.readWait())))
            .toList();
    this.codec = new FrameCodec(keys);
    this.events = events;
    this.clock = clock;
    this.upkeep =
        new StoreUpkeep(
            lanes, config, this::openSegment, facts, keys::judge, this::storeReturned, events);
    this.reader = new StoreReader(upkeep::readable, keys, upkeep::mendSoon);
    this.commits =
        new GroupCommit<>(
            "vault-commit",
            new GroupCommit.Limits(GROUP_FRAMES, GROUP_BYTES, QUEUE, LINGER, pace(stores)),
            frame -> frame.length,
            this::commit);
  }

  // One group goes to all stores: the one that wants the fewest appends sets the pace.
  private static Duration pace(List<? extends ObjectStore> stores) {
    return stores.stream()
        .map(ObjectStore::pace)
        .max(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  @Override
  public Kept keep(MessageFrame frame) throws VaultUnavailableException, InterruptedException {
    requireStores();
    byte[] bytes;
    try {
      bytes = codec.encode(frame);
    } catch (IOException e) {
      throw new VaultUnavailableException("a mailbox key cannot be had: " + e.getMessage(), e);
    }
    try {
      return commits.submit(bytes).get();
    } catch (ExecutionException | CompletionException e) {
      if (e.getCause() instanceof VaultUnavailableException unavailable) {
        throw new VaultUnavailableException(message(unavailable), unavailable);
      }
      throw new VaultUnavailableException("the vault failed: " + e.getCause(), e);
    } catch (RejectedExecutionException e) {
      throw new VaultUnavailableException("the vault is closed", e);
    }
  }

  @Override
  public MessageFrame read(Place place) throws VaultUnavailableException {
    return reader.read(place);
  }

  /** The stores' health and the jobs that keep them equal. */
  public StoreUpkeep upkeep() {
    return upkeep;
  }

  /** The stores, as compaction is to ask them. */
  public StoreChoice stores() {
    return new StoreChoice() {
      @Override
      public List<ObjectStore> all() {
        return lanes.stream().<ObjectStore>map(StoreLane::store).toList();
      }

      @Override
      public List<ObjectStore> up() {
        return lanes.stream().filter(StoreLane::up).<ObjectStore>map(StoreLane::store).toList();
      }

      @Override
      public List<ObjectStore> full() {
        return lanes.stream().filter(StoreLane::full).<ObjectStore>map(StoreLane::store).toList();
      }

      @Override
      public List<ObjectStore> readable() {
        return upkeep.readable();
      }
    };
  }

  /** How many stores take mail now. */
  public int storesUp() {
    return (int) lanes.stream().filter(StoreLane::up).count();
  }

  /** Whether enough stores are up to accept mail. */
  public boolean accepting() {
    return storesUp() >= config.minimum();
  }

  /**
   * Every segment that a store lists.
   *
   * @throws IOException when no store can be listed
   */
  public StoreUpkeep.Segments segments() throws IOException {
    return upkeep.segments(config.minimum());
  }

  /** Whether a segment that was not listed is indeed in no store. */
  public boolean isNowhere(UUID segment) {
    return upkeep.isNowhere(segment, config.minimum());
  }

  /**
   * Whether another node may be writing a segment.
   *
   * @throws IOException when that cannot be known now
   */
  public boolean isLeftAlone(UUID segment) throws IOException {
    return facts.fate(segment) == SegmentFacts.Fate.LEFT_ALONE;
  }

  /** Whether this process wrote a segment and {@link #forget} was not said of it. */
  public boolean isOwn(UUID segment) {
    return ended.containsKey(segment) || openSegment().equals(Optional.of(segment));
  }

  /** The segments that this process wrote and ended, other than forgotten ones. */
  public List<UUID> ended() {
    return List.copyOf(ended.keySet());
  }

  /**
   * The messages of a segment that this process wrote and ended: all that were acknowledged.
   *
   * @throws IOException when no store gives a copy that ends where the last of them does: a copy
   *     may be shorter, of a store that took only a part, or longer by what was not acknowledged
   */
  public List<MessageId> ids(UUID segment) throws IOException {
    Long length = ended.get(segment);
    if (length == null) {
      throw new IOException("segment " + segment + " was not written by this process");
    }
    return upkeep.ids(segment, length);
  }

  /** Says that everything in a segment is known to be in the ledger. */
  public void forget(UUID segment) {
    ended.remove(segment);
  }

  /** The segment that is being written now; it must be left alone by repair. */
  Optional<UUID> openSegment() {
    return open.map(Open::segment);
  }

  /**
   * What a walk saw.
   *
   * @param answered whether so many stores gave all that they have of the segment that every frame
   *     which was acknowledged was seen, or is in one of the gaps
   * @param all whether every store did
   * @param gaps places where something is that is whole in no store
   */
  public record Walked(boolean answered, boolean all, int gaps) {
    /** Whether every frame that was acknowledged was visited. */
    public boolean whole() {
      return answered && gaps == 0;
    }
  }

  /**
   * Walks every whole frame of a segment, each read from whichever store has it.
   *
   * @throws IOException when no store can give the segment, or the visitor fails
   */
  public Walked walk(UUID segment, FrameVisitor visitor) throws IOException {
    SegmentCopies found = SegmentCopies.find(upkeep.readable(), segment);
    // What is another segment has the same offsets, and other messages.
    List<SegmentCopies.Copy> foreign = found.foreign();
    SegmentCopies.Walk walk =
        found
            .with(List.of(), foreign)
            .walk(
                (place, header, bytes) ->
                    visitor.frame(place, header.id(), () -> codec.decode(bytes)));
    int answered = found.asked() - foreign.size() - walk.unread();
    return new Walked(
        answered > lanes.size() - config.minimum(), answered == lanes.size(), walk.gaps());
  }

  /**
   * How many undamaged frames a store holds on its own.
   *
   * @throws IOException when it cannot be read
   */
  public static long countFrames(ObjectStore store) throws IOException {
    List<UUID> segments = new ArrayList<>();
    store.list(Segment.KIND, each -> Segment.name(each.object()).ifPresent(segments::add));
    long[] count = new long[1];
    for (UUID segment : segments) {
      SegmentCopies.find(List.of(store), segment).walk((place, header, frame) -> count[0]++);
    }
    return count[0];
  }

  /** Gets the frames of a {@link #walk}. */
  @FunctionalInterface
  public interface FrameVisitor {
    void frame(Place place, MessageId id, Content content) throws IOException;
  }

  /** Decrypts a frame when asked. */
  @FunctionalInterface
  public interface Content {
    MessageFrame read() throws IOException;
  }

  @Override
  public void close() {
    commits.close();
    // The committing thread has ended.
    end();
    upkeep.close();
    lanes.forEach(StoreLane::close);
  }

  private void requireStores() throws VaultUnavailableException {
    if (!accepting()) {
      StringBuilder reasons = new StringBuilder();
      for (StoreLane lane : lanes) {
        if (!lane.up()) {
          reasons.append("; ").append(lane.store().name()).append(": ").append(lane.why());
        }
      }
      throw new VaultUnavailableException(
          "%d of %d stores take mail, %d are needed%s"
              .formatted(storesUp(), lanes.size(), config.minimum(), reasons));
    }
  }

  // ---- the committing thread ----

  private void commit(List<GroupCommit.Item<byte[], Kept>> group) throws InterruptedException {
    boolean decided = false;
    try {
      requireStores();
      if (group.stream().allMatch(item -> item.value().length == 0)) {
        // Nothing to append: a store came back, see storeReturned, or the segment is old.
        endIfStoresChanged();
        if (open.isPresent() && isOld(open.get())) {
          end();
        }
        acknowledge(group, NOWHERE, 0, 0);
      } else {
        append(group);
      }
      decided = true;
    } catch (VaultUnavailableException e) {
      decided = true;
      for (GroupCommit.Item<byte[], Kept> item : group) {
        item.promise().completeExceptionally(e);
      }
    } finally {
      if (!decided) {
        // Nobody knows how far the stores came: neither segment nor buffer may be used again.
        buffer = ByteBuffer.allocateDirect(GROUP_BYTES + Segment.HEADER);
        end();
      }
    }
  }

  private void append(List<GroupCommit.Item<byte[], Kept>> group)
      throws VaultUnavailableException, InterruptedException {
    Open current = current();
    ByteBuffer bytes = gather(current, group);
    long before = current.length();
    Round round = new Round(current.members().size());
    for (StoreLane lane : current.members()) {
      lane.append(current.segment(), !current.started(), bytes.duplicate(), round);
    }
    Set<StoreLane> done = settle(current, round);
    if (done.size() < config.minimum()) {
      takeBack(current, done, before);
      throw new VaultUnavailableException(
          "only %d of %d stores took the message, %d are needed"
              .formatted(done.size(), lanes.size(), config.minimum()));
    }
    long length = before + bytes.limit() - (current.started() ? 0 : Segment.HEADER);
    boolean whole = done.size() == current.members().size();
    open =
        Optional.of(
            new Open(current.segment(), current.members(), current.sinceMillis(), length, true));
    if (!whole || length >= config.segmentSize().bytes() || isOld(current)) {
      end();
    }
    acknowledge(group, current.segment(), before, done.size());
  }

  private Open current() {
    Set<StoreLane> up = endIfStoresChanged();
    if (open.isPresent()) {
      return open.get();
    }
    Open fresh = new Open(names.fresh(), up, clock.millis(), Segment.HEADER, false);
    open = Optional.of(fresh);
    return fresh;
  }

  private boolean isOld(Open segment) {
    return clock.millis() - segment.sinceMillis() >= config.segmentAge().toMillis();
  }

  // Ends the open segment when the stores that are up are no longer those it was begun with; gives
  // back the stores that are up.
  private Set<StoreLane> endIfStoresChanged() {
    Set<StoreLane> up = Set.copyOf(lanes.stream().filter(StoreLane::up).toList());
    if (open.isPresent() && !open.get().members().equals(up)) {
      end();
    }
    return up;
  }

  private ByteBuffer gather(Open current, List<GroupCommit.Item<byte[], Kept>> group) {
    int size = current.started() ? 0 : Segment.HEADER;
    for (GroupCommit.Item<byte[], Kept> item : group) {
      size = Math.addExact(size, item.value().length);
    }
    ByteBuffer out = size <= buffer.capacity() ? buffer.clear() : ByteBuffer.allocate(size);
    if (!current.started()) {
      out.put(Segment.header(current.segment(), clock.millis()));
    }
    for (GroupCommit.Item<byte[], Kept> item : group) {
      out.put(item.value());
    }
    return out.flip();
  }

  // Waits for the stores: for all of them, but for one that hangs no longer than vault.store_wait.
  private Set<StoreLane> settle(Open current, Round round) throws InterruptedException {
    Duration wait = config.storeWait();
    boolean all = round.await(wait, config.minimum(), wait.multipliedBy(PATIENCE));
    Set<StoreLane> done = round.done();
    if (!all) {
      // The hanging lane still holds the shared buffer: leave it to it.
      buffer = ByteBuffer.allocateDirect(GROUP_BYTES + Segment.HEADER);
    }
    for (StoreLane lane : current.members()) {
      if (!done.contains(lane)) {
        Throwable failure = round.failures().get(lane);
        down(lane, failure == null ? "no answer within " + wait : message(failure));
      }
    }
    return done;
  }

  private void takeBack(Open current, Set<StoreLane> done, long before) {
    for (StoreLane lane : done) {
      lane.truncate(current.segment(), before);
    }
    end();
  }

  private static void acknowledge(
      List<GroupCommit.Item<byte[], Kept>> group, UUID segment, long start, int copies) {
    long at = start;
    for (GroupCommit.Item<byte[], Kept> item : group) {
      int length = item.value().length;
      item.promise().complete(new Kept(new Place(segment, at, length), copies));
      at += length;
    }
  }

  /** Ends the open segment when it has been open for long, though no mail comes. */
  public void endOld() {
    Optional<Open> now = open;
    if (now.isPresent() && isOld(now.get())) {
      lookAtOpen();
    }
  }

  // A store came back: the open segment, which it lacks, is to end now and not with the next mail,
  // since nobody copies a segment that is open.
  private void storeReturned() {
    lookAtOpen();
  }

  // Under load the next group does it anyway.
  private void lookAtOpen() {
    try {
      if (open.isPresent() && commits.waiting() == 0) {
        var _ = commits.submit(NOTHING);
      }
    } catch (RejectedExecutionException e) {
      LOG.debug("closed meanwhile");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void end() {
    if (open.isPresent()) {
      ended.put(open.get().segment(), open.get().length());
      if (open.get().members().size() < lanes.size()) {
        upkeep.equalizeSoon();
      }
      open.get().members().stream().filter(StoreLane::up).forEach(StoreLane::seal);
      open = Optional.empty();
    }
  }

  private void down(StoreLane lane, String why) {
    lane.markDown(why);
    if (!lane.announceDown()) {
      return;
    }
    LOG.error("store {} takes no mail: {}", lane.store().name(), why);
    events.emit(new MailEvent.StoreHealth(lane.store().name(), false, why));
  }

  private static String message(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? failure.toString() : message;
  }
}
