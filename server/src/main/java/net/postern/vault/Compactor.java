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
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import net.postern.blob.ObjectStore;
import net.postern.config.VaultConfig;
import net.postern.keys.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives space back: drops segments of which nothing is kept any longer, copies what is kept of
 * others into new ones, and deletes dropped segments from the stores.
 *
 * <p>Each change goes through these steps; a crash between any two loses nothing, and the next pass
 * goes on:
 *
 * <ol>
 *   <li>the new segment is entered in the book as one that is dropped;
 *   <li>its bytes are gathered, every frame checked, and written to all stores that are up;
 *   <li>they are read back and compared: at least {@code vault.minimum} stores must have all;
 *   <li>one transaction takes the new segment into use, places the messages in it and drops the old
 *       ones; it asks once more what is kept;
 *   <li>after {@code vault.compact_grace}, in which readers may still hold the old places, deletion
 *       is decided, which cannot be taken back;
 *   <li>the old segments are deleted from each store that has the new one; a store that is away
 *       gets its deletion when it is back;
 *   <li>what is gone from every store is noted.
 * </ol>
 *
 * <p>One process of an installation compacts at a time ({@link SegmentBook#turn}). Threads: one of
 * its own, which does everything but the calls to stores, see {@link StoreCalls}; acceptance shares
 * neither thread nor lock with it. {@link #pass} may be called instead of {@link #start}.
 */
public final class Compactor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Compactor.class);

  /** Time between two passes. */
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  /** Time between two looks for copies that turned up again. */
  private static final Duration STRAY_INTERVAL = Duration.ofDays(1);

  /** Time between two complaints about mail that is missing. */
  private static final Duration COMPLAINT_INTERVAL = Duration.ofHours(1);

  /** Most segments that are looked at, merged, or deleted in one pass. */
  private static final int MOST_LOOKS = 1_000;

  private static final int MOST_SMALL = 200;
  private static final int MOST_DELETED = 200;

  /** Segments are merged into one no longer than this, which is put together in memory. */
  private static final long MOST_BYTES = SegmentCopier.HELD_BYTES;

  /** Mail that comes in while a segment is rewritten must not find the stores full. */
  private static final long MARGIN_BYTES = 64 << 20;

  /** Two clocks that differ by more cannot both be right. */
  private static final Duration MOST_AHEAD = Duration.ofMinutes(5);

  /** A full store gets a segment when one part in so many of the reserve stays free. */
  private static final int SPARE_PART = 8;

  /** The part of the retention of finished mail after which a segment that dies soon is left. */
  private static final int PATIENCE_PART = 7;

  private final StoreChoice stores;
  private final SegmentBook book;
  private final Hooks hooks;
  private final Clock clock;
  private final int minimum;
  private final long reserve;
  private final Duration grace;
  private final CompactionPlan plan;
  private final SegmentCopier copier;
  private final AtomicLong droppedSegments = new AtomicLong();
  private final AtomicLong rewrittenSegments = new AtomicLong();
  private final AtomicLong copiedBytes = new AtomicLong();
  private final AtomicLong deletedSegments = new AtomicLong();
  private volatile SegmentBook.Totals totals = new SegmentBook.Totals(0, 0, 0, 0, 0);
  private volatile boolean closed;
  private Optional<Thread> thread = Optional.empty();

  // Owned by whoever makes passes.
  private Instant straysFrom = Instant.EPOCH;
  private Instant complainFrom = Instant.EPOCH;
  private Set<String> warned = Set.of();

  /**
   * What a pass tells others.
   *
   * @param before run first: the vault ends a segment that has been open for long
   * @param lacking run when a store that is configured did not get a new segment
   * @param give gives a segment to a store that is full
   * @param ahead how far the clock is ahead of another one
   */
  public record Hooks(Runnable before, Runnable lacking, Give give, Ahead ahead) {
    /** Nobody is told, and the clock is trusted. */
    public static final Hooks NONE =
        new Hooks(() -> {}, () -> {}, (segment, store) -> false, () -> Duration.ZERO);
  }

  /** Compares the clock with another one, such as the database's. */
  @FunctionalInterface
  public interface Ahead {
    /**
     * @return negative when the clock is behind
     * @throws IOException when the other one cannot be asked
     */
    Duration ahead() throws IOException;
  }

  /** Gives a segment to a store from those that have it. */
  @FunctionalInterface
  public interface Give {
    /**
     * @return whether the store got it
     * @throws IOException when no store has the segment
     */
    boolean give(UUID segment, ObjectStore store) throws IOException;
  }

  /**
   * What a pass did.
   *
   * @param ran false when another process compacts
   * @param looked segments looked at
   * @param dropped segments of which nothing was kept
   * @param rewritten segments whose frames were copied into new ones
   * @param made new segments
   * @param copiedBytes length of the new segments
   * @param deleted segments that are gone from every store
   * @param waiting segments that are dropped and still in some store, for their grace or because it
   *     is away, in bytes
   */
  public record Report(
      boolean ran,
      int looked,
      int dropped,
      int rewritten,
      int made,
      long copiedBytes,
      int deleted,
      long waiting) {}

  /**
   * What was done since start, and what there is.
   *
   * @param deadBytes in segments in use, as of the last looks
   * @param droppedBytes of segments that are dropped and not yet deleted from every store
   */
  public record Stats(
      long droppedSegments,
      long rewrittenSegments,
      long copiedBytes,
      long deletedSegments,
      long liveBytes,
      long deadBytes,
      long droppedBytes) {}

  /**
   * @param keys what tells a genuine frame from a forged one
   * @param grace how long readers may hold the place of a message; at least a delivery's lease
   */
  public Compactor(
      VaultConfig config,
      Duration grace,
      StoreChoice stores,
      SegmentBook book,
      KeyRing keys,
      Hooks hooks,
      Clock clock) {
    this.stores = stores;
    this.book = book;
    this.hooks = hooks;
    this.clock = clock;
    this.minimum = config.minimum();
    this.reserve = config.reserve().bytes();
    this.grace = grace;
    Duration patience = config.keepFinished().dividedBy(PATIENCE_PART);
    this.plan =
        new CompactionPlan(
            config.deadWithin(), patience, Math.min(config.segmentSize().bytes(), MOST_BYTES));
    this.copier = new SegmentCopier(stores, keys, minimum, config.compactRate().bytes());
  }

  /** Makes a pass every minute, on a thread of its own, until closed. */
  public void start() {
    thread = Optional.of(Thread.ofPlatform().name("compact").daemon().start(this::run));
  }

  public Stats stats() {
    SegmentBook.Totals now = totals;
    return new Stats(
        droppedSegments.get(),
        rewrittenSegments.get(),
        copiedBytes.get(),
        deletedSegments.get(),
        now.liveBytes(),
        Math.max(0, now.bytes() - now.liveBytes() - now.segments() * Segment.HEADER),
        now.droppedBytes());
  }

  private void run() {
    while (!closed) {
      try {
        Report report = pass();
        if (report.dropped() + report.rewritten() + report.deleted() > 0) {
          LOG.info("compacted: {}", report);
        }
      } catch (IOException | RuntimeException | Error e) {
        // Out of memory too: without this thread the stores would only grow.
        LOG.warn("compaction broke off; the next pass goes on: {}", e.toString());
        LOG.debug("compaction broke off", e);
      } catch (InterruptedException e) {
        return;
      }
      if (!closed) {
        LockSupport.parkNanos(INTERVAL.toNanos());
      }
    }
  }

  /**
   * Does all that is due now.
   *
   * @throws IOException when the database is away, its clock is another one, or too few stores take
   *     a new segment: what was done until then stays done
   */
  public Report pass() throws IOException, InterruptedException {
    hooks.before().run();
    // A clock that is weeks ahead would say of all mail that its time is over.
    Duration ahead = hooks.ahead().ahead();
    if (ahead.abs().compareTo(MOST_AHEAD) > 0) {
      throw new IOException(
          "the clock of this node is %s %s that of the database: nothing is dropped until they agree; set the one that is wrong"
              .formatted(ahead.abs(), ahead.isNegative() ? "behind" : "ahead of"));
    }
    Optional<SegmentBook.Turn> turn = book.turn();
    if (turn.isEmpty()) {
      return new Report(false, 0, 0, 0, 0, 0, 0, 0);
    }
    try (SegmentBook.Turn _ = turn.get()) {
      return new Pass().run();
    }
  }

  /** One pass: what it has found and done so far. */
  private final class Pass {
    private int looked;
    private int dropped;
    private int rewritten;
    private int made;
    private long copied;
    private int deleted;
    private final Set<String> noRoom = new TreeSet<>();

    Report run() throws IOException, InterruptedException {
      delete();
      strays();
      List<CompactionPlan.Candidate> rewrite = look();
      List<CompactionPlan.Candidate> small = small();
      totals = book.totals();
      if (stores.up().size() < minimum) {
        // What cannot be written safely is not begun.
        rewrite = List.of();
        small = List.of();
      }
      for (List<CompactionPlan.Candidate> batch : plan.batches(rewrite, small, totals)) {
        if (closed) {
          break;
        }
        try {
          rewrite(batch);
        } catch (DamagedException e) {
          // The others of the batch must not wait for the one.
          for (CompactionPlan.Candidate each : batch) {
            rewriteAlone(each);
          }
        }
      }
      warn();
      totals = book.totals();
      return new Report(
          true, looked, dropped, rewritten, made, copied, deleted, totals.droppedBytes());
    }

    // Once, and again when it is another store.
    private void warn() {
      if (!noRoom.isEmpty() && !noRoom.equals(warned)) {
        LOG.warn(
            "{} have too little space for segments that are to be rewritten: what is dead in them"
                + " stays until whole segments are; add space, or shorten vault.keep_finished",
            noRoom);
      }
      warned = noRoom;
    }

    private void delete() throws IOException, InterruptedException {
      Instant now = clock.instant();
      Instant droppedBefore = now.minus(grace);
      if (book.isRipe(droppedBefore) && isMailMissing(now)) {
        // What was decided before stands; nothing is added to it.
        droppedBefore = Instant.EPOCH;
      }
      List<SegmentBook.Doomed> doomed = book.doom(droppedBefore, now, MOST_DELETED);
      if (doomed.isEmpty()) {
        return;
      }
      give(copier.gifts(doomed, reserve / SPARE_PART));
      SegmentCopier.Deletion deletion = copier.delete(doomed);
      if (deletion.lacking()) {
        hooks.lacking().run();
      }
      List<UUID> gone = deletion.gone();
      if (!gone.isEmpty()) {
        book.deleted(gone, now);
        deleted += gone.size();
        deletedSegments.addAndGet(gone.size());
      }
    }

    // A message whose segment is in no store may be in one that was dropped: the database is an
    // older one, put back from a backup. Then the last copy must not be deleted.
    private boolean isMailMissing(Instant now) throws IOException, InterruptedException {
      Set<UUID> absent = copier.absent(book.inUse());
      if (!absent.isEmpty() && !now.isBefore(complainFrom)) {
        LOG.error(
            "{} segments that hold mail by the ledger, such as {}, are in none of the stores that"
                + " answer: nothing is deleted from the stores. Bring back the stores that are"
                + " away; if the database was put back from a backup, restart the node: it looks"
                + " for the mail in all segments",
            absent.size(),
            absent.iterator().next());
        complainFrom = now.plus(COMPLAINT_INTERVAL);
      }
      return !absent.isEmpty();
    }

    // A full store keeps an old segment as long as it lacks the new one: without this, for ever.
    private void give(List<SegmentCopier.Gift> gifts) {
      for (SegmentCopier.Gift gift : gifts) {
        try {
          if (hooks.give().give(gift.segment(), gift.store())) {
            LOG.info(
                "store {} is full and got segment {}, to delete longer ones",
                gift.store().name(),
                gift.segment());
          }
        } catch (IOException e) {
          LOG.warn(
              "store {} is full and cannot get segment {}, to delete longer ones: {}",
              gift.store().name(),
              gift.segment(),
              e.toString());
        }
      }
    }

    private void strays() throws IOException, InterruptedException {
      Instant now = clock.instant();
      if (now.isBefore(straysFrom)) {
        return;
      }
      int found = copier.deleteStrays(book::strays);
      if (found > 0) {
        LOG.warn("{} copies of deleted segments had turned up again and are deleted", found);
      }
      straysFrom = now.plus(STRAY_INTERVAL);
    }

    private List<CompactionPlan.Candidate> look() throws IOException {
      List<CompactionPlan.Candidate> rewrite = new ArrayList<>();
      Instant now = clock.instant();
      for (SegmentBook.Entry entry : book.due(now, MOST_LOOKS)) {
        if (closed) {
          break;
        }
        List<SegmentBook.KeptFrame> kept = book.kept(entry.segment(), now);
        CompactionPlan.Verdict verdict = plan.judge(entry, bytes(entry, kept), kept, now);
        looked++;
        book.looked(verdict.look());
        switch (verdict.decision()) {
          case CompactionPlan.Decision.Drop() -> drop(entry.segment(), now);
          case CompactionPlan.Decision.Rewrite(var candidate) -> rewrite.add(candidate);
          case CompactionPlan.Decision.Leave() -> {}
        }
      }
      return rewrite;
    }

    private long bytes(SegmentBook.Entry entry, List<SegmentBook.KeptFrame> kept)
        throws IOException {
      if (entry.bytes().isPresent()) {
        return entry.bytes().get();
      }
      try {
        return copier.length(entry.segment());
      } catch (IOException e) {
        if (kept.isEmpty()) {
          return Segment.HEADER;
        }
        LOG.error("segment {} holds mail and is in no store that can be read", entry.segment());
        SegmentBook.KeptFrame last = kept.getLast();
        return last.place().offset() + last.place().length();
      }
    }

    private void drop(UUID segment, Instant now) throws IOException {
      if (book.replace(
          new SegmentBook.Replacement(Set.of(segment), Optional.empty(), List.of()), now)) {
        dropped++;
        droppedSegments.incrementAndGet();
      }
    }

    private List<CompactionPlan.Candidate> small() throws IOException {
      List<SegmentBook.Entry> small = book.small(plan.smallBytes(), MOST_SMALL);
      if (small.size() <= CompactionPlan.SMALL_SEGMENTS) {
        return List.of();
      }
      return small.stream()
          .filter(entry -> entry.liveBytes() > 0)
          .map(
              entry ->
                  new CompactionPlan.Candidate(
                      entry.segment(),
                      entry.bytes().orElse(0L),
                      entry.liveBytes(),
                      entry.endOfLife().orElse(SegmentBook.FOR_EVER),
                      false))
          .toList();
    }

    private void rewrite(List<CompactionPlan.Candidate> batch)
        throws IOException, InterruptedException, DamagedException {
      Instant now = clock.instant();
      Set<UUID> old = new HashSet<>();
      batch.forEach(each -> old.add(each.segment()));
      List<SegmentBook.KeptFrame> kept = new ArrayList<>();
      for (UUID segment : old) {
        kept.addAll(book.kept(segment, now));
      }
      if (kept.isEmpty()) {
        for (UUID segment : old) {
          drop(segment, now);
        }
        return;
      }
      long bytes = Segment.HEADER;
      for (SegmentBook.KeptFrame frame : kept) {
        bytes += frame.place().length();
      }
      List<String> tooFull = copier.tooFull(bytes, reserve + MARGIN_BYTES);
      if (!tooFull.isEmpty()) {
        LOG.debug("{} have no room to rewrite segments {}", tooFull, old);
        noRoom.addAll(tooFull);
        return;
      }
      UUID fresh = UUID.randomUUID();
      SegmentCopier.Image image = gather(fresh, kept, now);
      book.begin(fresh, image.length(), now);
      int copies = write(image);
      if (copies < minimum) {
        throw new IOException(
            "only %d of %d stores have the new segment, %d are needed; nothing is dropped"
                .formatted(copies, stores.all().size(), minimum));
      }
      if (!book.replace(replacement(old, image, kept, now), now)) {
        LOG.info("segments {} have changed meanwhile; they are looked at again", old);
        return;
      }
      if (copies < stores.all().size()) {
        hooks.lacking().run();
      }
      made++;
      rewritten += old.size();
      copied += image.length();
      rewrittenSegments.addAndGet(old.size());
      copiedBytes.addAndGet(image.length());
    }

    private SegmentCopier.Image gather(UUID fresh, List<SegmentBook.KeptFrame> kept, Instant now)
        throws DamagedException, InterruptedException {
      try {
        return copier.gather(fresh, kept, now.toEpochMilli());
      } catch (IOException e) {
        throw new DamagedException(e);
      }
    }

    private int write(SegmentCopier.Image image) throws DamagedException, InterruptedException {
      try {
        return copier.write(image);
      } catch (IOException e) {
        throw new DamagedException(e);
      }
    }

    private SegmentBook.Replacement replacement(
        Set<UUID> old, SegmentCopier.Image image, List<SegmentBook.KeptFrame> kept, Instant now) {
      Map<Place, Long> offsets = new HashMap<>();
      image.moves().forEach(move -> offsets.put(move.from(), move.offset()));
      // As the first look at it will find it.
      List<SegmentBook.KeptFrame> placed =
          kept.stream()
              .map(
                  frame ->
                      new SegmentBook.KeptFrame(
                          frame.id(),
                          new Place(
                              image.segment(),
                              offsets.getOrDefault(frame.place(), 0L),
                              frame.place().length()),
                          frame.keptUntil()))
              .toList();
      SegmentBook.Entry entry =
          new SegmentBook.Entry(
              image.segment(), Optional.empty(), 0, Optional.empty(), Optional.empty());
      SegmentBook.Look look = plan.judge(entry, image.length(), placed, now).look();
      return new SegmentBook.Replacement(old, Optional.of(look), image.moves());
    }

    private void rewriteAlone(CompactionPlan.Candidate each)
        throws IOException, InterruptedException {
      try {
        rewrite(List.of(each));
      } catch (DamagedException e) {
        LOG.error("segment {} is not compacted: {}", each.segment(), e.getMessage());
        // Not every minute.
        book.lookLater(each.segment(), clock.instant().plus(plan.lookInterval()));
      }
    }
  }

  /** Something that is kept cannot be read now. */
  private static final class DamagedException extends Exception {
    private static final long serialVersionUID = 1L;

    DamagedException(IOException why) {
      super(why.getMessage(), why);
    }
  }

  /** Ends after the step in hand; waits for at most five seconds. */
  @Override
  public void close() {
    closed = true;
    if (thread.isPresent()) {
      LockSupport.unpark(thread.get());
      try {
        thread.get().join(5_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
