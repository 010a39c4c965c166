package net.postern.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.blob.ObjectStore;

/**
 * The copies of one segment, read as one. All copies have the same bytes at the same offsets, as
 * far as they go; they differ in where a crash or a failing disk cut or damaged them. So a frame
 * may be taken from any copy in which its digest is right, and the whole frames of all copies
 * together are what there is: no copy is "the best".
 */
final class SegmentCopies {
  /** Bytes that are searched at once for the next frame after damage. */
  private static final int SEARCH_BYTES = 1 << 20;

  private static final byte[] MAGIC = "PFRM".getBytes(StandardCharsets.US_ASCII);

  private final UUID segment;
  private final String object;
  private final List<Copy> copies;
  private final int asked;

  /** One store's copy. */
  record Copy(ObjectStore store, long length) {}

  /** Gets the frames of a walk. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param frame all bytes of an undamaged frame
     */
    void frame(Place place, FrameCodec.Header header, byte[] frame) throws IOException;
  }

  /**
   * What a comparison found.
   *
   * @param end where the last whole frame of any copy ends
   * @param gaps whether there is something before that which is whole in no copy
   * @param lacking copies without some whole frame that another has, or with a torn end
   */
  record Comparison(long end, boolean gaps, List<Copy> lacking) {}

  private SegmentCopies(UUID segment, List<Copy> copies, int asked) {
    this.segment = segment;
    this.object = Segment.object(segment);
    this.copies = copies;
    this.asked = asked;
  }

  /**
   * Asks stores for their copies.
   *
   * @throws IOException when no store has one
   */
  static SegmentCopies find(List<? extends ObjectStore> stores, UUID segment) throws IOException {
    List<Copy> copies = new ArrayList<>();
    int asked = 0;
    IOException failure = new IOException("no store can give segment " + segment);
    for (ObjectStore store : stores) {
      try {
        copies.add(new Copy(store, store.length(Segment.object(segment))));
        asked++;
      } catch (NoSuchFileException e) {
        asked++;
        failure.addSuppressed(e);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    if (copies.isEmpty()) {
      throw failure;
    }
    return new SegmentCopies(segment, copies, asked);
  }

  /** The copies that were found. */
  List<Copy> all() {
    return copies;
  }

  /** How many stores answered, with a copy or that they have none. */
  int asked() {
    return asked;
  }

  /**
   * Visits every frame that is whole in some copy, in order, once.
   *
   * @return where the last one ends; the length of a header when there is none
   * @throws IOException when the visitor fails; damage and stores that fail are passed over
   */
  long walk(Visitor visitor) throws IOException {
    long at = Segment.HEADER;
    long end = at;
    while (true) {
      Optional<byte[]> frame = frame(at);
      if (frame.isEmpty()) {
        long next = next(at);
        if (next < 0) {
          return end;
        }
        at = next;
        continue;
      }
      byte[] bytes = frame.get();
      visitor.frame(new Place(segment, at, bytes.length), FrameCodec.header(bytes), bytes);
      at += bytes.length;
      end = at;
    }
  }

  /** Compares all copies, frame by frame. */
  Comparison compare() throws IOException {
    List<Copy> lacking = new ArrayList<>();
    long[] covered = {Segment.HEADER};
    boolean[] gaps = {false};
    for (Copy copy : copies) {
      if (!headerIsGood(copy)) {
        lacking.add(copy);
      }
    }
    long end =
        walk(
            (place, header, frame) -> {
              gaps[0] |= place.offset() != covered[0];
              covered[0] = place.offset() + place.length();
              for (Copy copy : copies) {
                if (!lacking.contains(copy) && frame(copy, place.offset()).isEmpty()) {
                  lacking.add(copy);
                }
              }
            });
    for (Copy copy : copies) {
      // Beyond the end no copy has anything whole. What was cut off in the middle of a write is
      // cut off for good; what looks complete but damaged is left for someone to look at.
      if (copy.length() > end && !gaps[0] && isTorn(copy, end) && !lacking.contains(copy)) {
        lacking.add(copy);
      }
    }
    return new Comparison(end, gaps[0], lacking);
  }

  /**
   * The bytes that every copy should have: header, and every frame that is whole somewhere.
   *
   * @param end as a comparison said
   */
  byte[] image(long end) throws IOException {
    byte[] image = new byte[Math.toIntExact(end)];
    Copy longest =
        copies.stream().max((a, b) -> Long.compare(a.length(), b.length())).orElseThrow();
    // Fills the gaps, if there are any, with what there is.
    int there = (int) Math.min(end, longest.length());
    System.arraycopy(longest.store().range(object, 0, there), 0, image, 0, there);
    // Without any good header only the time of creation is lost.
    byte[] head = Segment.header(segment, 0);
    for (Copy copy : copies) {
      if (headerIsGood(copy)) {
        head = copy.store().range(object, 0, Segment.HEADER);
        break;
      }
    }
    System.arraycopy(head, 0, image, 0, Segment.HEADER);
    walk(
        (place, header, frame) -> {
          if (place.offset() + place.length() <= end) {
            System.arraycopy(frame, 0, image, (int) place.offset(), frame.length);
          }
        });
    return image;
  }

  private boolean headerIsGood(Copy copy) {
    try {
      Segment.checkHeader(segment, copy.store().range(object, 0, Segment.HEADER));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The frame that begins at an offset, from whichever copy has it whole. */
  Optional<byte[]> frame(long at) {
    for (Copy copy : copies) {
      Optional<byte[]> frame = frame(copy, at);
      if (frame.isPresent()) {
        return frame;
      }
    }
    return Optional.empty();
  }

  // The frame that begins at an offset of one copy, if it is whole there.
  private Optional<byte[]> frame(Copy copy, long at) {
    if (at + FrameCodec.MIN_FRAME > copy.length()) {
      return Optional.empty();
    }
    try {
      FrameCodec.Header header =
          FrameCodec.header(copy.store().range(object, at, FrameCodec.FIXED));
      if (at + header.length() > copy.length()) {
        return Optional.empty();
      }
      byte[] bytes = copy.store().range(object, at, header.length());
      FrameCodec.verify(bytes);
      return Optional.of(bytes);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private boolean isTorn(Copy copy, long end) {
    if (end + FrameCodec.FIXED > copy.length()) {
      return true;
    }
    try {
      byte[] head = copy.store().range(object, end, FrameCodec.FIXED);
      return end + FrameCodec.header(head).length() > copy.length();
    } catch (IOException e) {
      return false;
    }
  }

  // Where the next whole frame after a damaged place begins in some copy; negative when nowhere.
  private long next(long after) {
    long best = -1;
    for (Copy copy : copies) {
      long found = next(copy, after + 1, best < 0 ? copy.length() : best);
      if (found >= 0) {
        best = found;
      }
    }
    return best;
  }

  private long next(Copy copy, long from, long before) {
    try {
      long base = from;
      while (base + FrameCodec.MIN_FRAME <= copy.length() && base < before) {
        int length = (int) Math.min(SEARCH_BYTES, copy.length() - base);
        byte[] bytes = copy.store().range(object, base, length);
        for (int i = 0; i + MAGIC.length <= length; i++) {
          if (bytes[i] == MAGIC[0]
              && Arrays.equals(bytes, i, i + MAGIC.length, MAGIC, 0, MAGIC.length)
              && base + i < before
              && frame(copy, base + i).isPresent()) {
            return base + i;
          }
        }
        base += length - MAGIC.length + 1;
        if (length < SEARCH_BYTES) {
          break;
        }
      }
    } catch (IOException e) {
      return -1;
    }
    return -1;
  }
}
