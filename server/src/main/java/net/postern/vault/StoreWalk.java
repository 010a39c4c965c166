package net.postern.vault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.blob.ReadAhead;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;

/**
 * Walks what one store holds, frame by frame, without a database and without the other stores.
 * Nothing is written. For one thread.
 */
public final class StoreWalk {
  private final ReadAhead store;
  private final FrameCodec codec;

  public StoreWalk(ObjectStore store, KeyRing keys) {
    this.store = new ReadAhead(store);
    this.codec = new FrameCodec(keys);
  }

  /**
   * What a walk over a segment found.
   *
   * @param frames whole frames
   * @param damaged places where something is that is no whole frame, however many frames it was
   * @param torn whether the end is cut off, as a crash in the middle of a write leaves it
   * @param failure the store failed on the way: what looks damaged may not be
   */
  public record Found(long frames, int damaged, boolean torn, Optional<IOException> failure) {}

  /** The segments of a store, in order of their names. */
  public static List<UUID> segments(ObjectStore store) throws IOException {
    List<UUID> segments = new ArrayList<>();
    store.list(Segment.KIND, each -> Segment.name(each.object()).ifPresent(segments::add));
    segments.sort((a, b) -> a.toString().compareTo(b.toString()));
    return segments;
  }

  /**
   * Visits every whole frame of a segment. Damage is passed over and counted.
   *
   * @throws IOException when the store does not give the segment, or the visitor fails
   */
  public Found walk(UUID segment, SegmentVault.FrameVisitor visitor) throws IOException {
    store.forgetFailure();
    SegmentCopies copies = SegmentCopies.find(List.of(store), segment);
    long[] covered = {Segment.HEADER};
    long[] frames = {0};
    int[] damaged = {0};
    long end =
        copies
            .walk(
                (place, header, bytes) -> {
                  damaged[0] += place.offset() != covered[0] ? 1 : 0;
                  covered[0] = place.offset() + place.length();
                  frames[0]++;
                  visitor.frame(place, header.id(), () -> codec.decode(bytes));
                })
            .end();
    boolean torn = false;
    SegmentCopies.Copy copy = copies.all().getFirst();
    if (copy.length() > end) {
      torn = SegmentCopies.isTorn(copy, end);
      damaged[0] += torn ? 0 : 1;
    }
    return new Found(frames[0], damaged[0], torn, store.failure());
  }

  /**
   * Looks for a message in one segment: reads the clear part of each frame, and of the message's
   * nothing more. A segment is left where its frames do not follow each other.
   */
  public Optional<Place> find(UUID segment, MessageId message) throws IOException {
    String object = Segment.object(segment);
    long length = store.length(object);
    long at = Segment.HEADER;
    while (at + FrameCodec.MIN_FRAME <= length) {
      FrameCodec.Header header = FrameCodec.header(store.range(object, at, FrameCodec.FIXED));
      if (header.id().equals(message)) {
        return Optional.of(new Place(segment, at, header.length()));
      }
      at += header.length();
    }
    return Optional.empty();
  }

  /**
   * Reads a frame.
   *
   * @throws IOException when it is damaged or no holder's key is left
   */
  public MessageFrame read(Place place) throws IOException {
    return codec.decode(
        store.range(Segment.object(place.segment()), place.offset(), place.length()));
  }
}
