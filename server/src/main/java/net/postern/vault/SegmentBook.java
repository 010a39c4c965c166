package net.postern.vault;

import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.id.MessageId;

/**
 * What the database knows of segments and of the messages in them, as compaction needs it. Only
 * segments whose every frame is known to the ledger are in the book: all others are left alone.
 *
 * <p>Every method throws {@link IOException} when the database is away; nothing has changed then,
 * or, when it broke off in a commit, all of one method's change has. Every instant comes from the
 * caller's clock.
 */
public interface SegmentBook extends SegmentFacts {

  /** The end of a message that nothing bounds: as far as the book is concerned, never. */
  Instant FOR_EVER = Instant.parse("9999-12-31T00:00:00Z");

  /** The right to compact, which one process of an installation has at a time. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * A segment that is in use.
   *
   * @param bytes its length when it was last looked at; empty before the first look
   * @param liveBytes sum of the lengths of frames that were kept at the last look
   * @param deadSince when dead bytes were first seen in it
   * @param endOfLife about when its frames will be dead, as of the last look
   */
  record Entry(
      UUID segment,
      Optional<Long> bytes,
      long liveBytes,
      Optional<Instant> deadSince,
      Optional<Instant> endOfLife) {}

  /**
   * A frame that something keeps, at the place where the ledger says it is.
   *
   * @param keptUntil when the last thing that keeps it lets go, as far as is known now; {@link
   *     #FOR_EVER} when that is open
   */
  record KeptFrame(MessageId id, Place place, Instant keptUntil) {}

  /**
   * What a look at a segment found.
   *
   * @param endOfLife about when its frames will be dead
   * @param nextLook when it is to be looked at again
   */
  record Look(
      UUID segment,
      long bytes,
      long liveBytes,
      Optional<Instant> deadSince,
      Instant endOfLife,
      Instant nextLook) {}

  /** A frame's way from an old segment into the new one. */
  record Move(MessageId id, Place from, long offset) {}

  /**
   * A change of segments.
   *
   * @param old segments that are no longer to be read
   * @param fresh what takes their place; empty when nothing of them is kept
   * @param moves every frame that is kept, with its offset in the fresh segment
   */
  record Replacement(Set<UUID> old, Optional<Look> fresh, List<Move> moves) {}

  /**
   * A segment that may be deleted.
   *
   * @param successor the segment that has what was kept of it
   */
  record Doomed(UUID segment, Optional<Successor> successor) {}

  /**
   * Where what was kept is now.
   *
   * @param bytes length of the segment
   */
  record Successor(UUID segment, long bytes) {}

  /**
   * The whole account.
   *
   * @param bytes of segments in use, as of the last looks
   * @param liveBytes of frames in them that are kept
   * @param graceBytes of segments that are dropped and whose deletion is not yet decided
   * @param droppedBytes of all that are dropped and not yet deleted from every store
   */
  record Totals(long segments, long bytes, long liveBytes, long graceBytes, long droppedBytes) {}

  /** Takes the right to compact; empty when another process has it. */
  Optional<Turn> turn() throws IOException;

  /** Segments in use that are due for a look, longest due first. */
  List<Entry> due(Instant now, int max) throws IOException;

  /** Segments in use that are shorter than a length, oldest first. */
  List<Entry> small(long below, int max) throws IOException;

  Totals totals() throws IOException;

  /** The frames of a segment that something keeps, in order of their offsets. */
  List<KeptFrame> kept(UUID segment, Instant now) throws IOException;

  /** Enters what a look found. */
  void looked(Look look) throws IOException;

  /** Puts off the next look at a segment. */
  void lookLater(UUID segment, Instant nextLook) throws IOException;

  /**
   * Enters a segment that is about to be written, as one that is dropped: if nobody comes to say
   * that it is whole ({@link #replace}), it is deleted like any other.
   */
  void begin(UUID fresh, long bytes, Instant now) throws IOException;

  /**
   * In one transaction: the fresh segment comes into use, the frames that are kept are placed in
   * it, messages of the old ones that nothing keeps are marked as gone, the old ones are dropped.
   *
   * @return false, with nothing changed, when something has come between: a frame is kept that is
   *     not among the moves, or one of the segments is no longer what it was
   */
  boolean replace(Replacement replacement, Instant now) throws IOException;

  /** Whether there are segments that {@link #doom} would decide on. */
  boolean isRipe(Instant droppedBefore) throws IOException;

  /**
   * The segments that messages are in, dropped or not, recorded or not; but for those of which it
   * is known that no store has them and that their messages are nowhere else.
   */
  Set<UUID> inUse() throws IOException;

  /**
   * Decides on the deletion of segments that were dropped at or before an instant, and gives back
   * those whose deletion is decided and not yet done everywhere. One that is given back and still
   * not deleted comes again after a while that grows to hours: a store may be away, or not allowed
   * to delete yet.
   */
  List<Doomed> doom(Instant droppedBefore, Instant now, int max) throws IOException;

  /** Notes that segments are gone from every store. */
  void deleted(Collection<UUID> segments, Instant now) throws IOException;

  /** Which of these were gone from every store, so that a copy of them is a stray. */
  Set<UUID> strays(Collection<UUID> candidates) throws IOException;
}
