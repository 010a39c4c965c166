package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;

/**
 * One copy of a segment, read from front to back in large pieces. Memory is bounded by a piece,
 * whatever the length of its frames. For one thread.
 */
final class CopyScan {
  /** Bytes that are read at once. */
  static final int PIECE = 1 << 20;

  /** Reads that fail one after the other before the copy is asked no more. */
  private static final int PATIENCE = 3;

  private final SegmentCopies.Copy copy;
  private byte[] window = new byte[0];
  private long windowAt;
  private int failures;

  CopyScan(SegmentCopies.Copy copy) {
    this.copy = copy;
  }

  /** What is at some offset. */
  sealed interface Look {
    /** A whole frame. */
    record Whole(int length, ByteBuffer digest) implements Look {}

    /** Bytes that are no whole frame, or none. */
    record Nothing() implements Look {}

    /** The store does not say. */
    record Unreadable() implements Look {}
  }

  SegmentCopies.Copy copy() {
    return copy;
  }

  /** Looks whether a whole frame begins at an offset. */
  Look look(long at) {
    if (at + FrameCodec.MIN_FRAME > copy.length()) {
      return new Look.Nothing();
    }
    if (failures >= PATIENCE) {
      return new Look.Unreadable();
    }
    try {
      Optional<FrameCodec.Header> header = header(at);
      if (header.isEmpty() || at + header.get().length() > copy.length()) {
        failures = 0;
        return new Look.Nothing();
      }
      int length = header.get().length();
      byte[] stated = bytes(at + length - FrameCodec.DIGEST, FrameCodec.DIGEST);
      boolean whole = MessageDigest.isEqual(digest(at, length - FrameCodec.DIGEST), stated);
      failures = 0;
      return whole ? new Look.Whole(length, ByteBuffer.wrap(stated)) : new Look.Nothing();
    } catch (IOException e) {
      failures++;
      return new Look.Unreadable();
    }
  }

  /** The clear part of a frame; empty when none begins there or the copy ends before. */
  Optional<FrameCodec.Header> header(long at) throws IOException {
    if (at + FrameCodec.FIXED > copy.length()) {
      return Optional.empty();
    }
    byte[] head = bytes(at, FrameCodec.FIXED);
    try {
      return Optional.of(FrameCodec.header(head));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Reads bytes that the copy has. */
  byte[] bytes(long at, int length) throws IOException {
    if (length > PIECE) {
      return copy.store().range(copy.object(), at, length);
    }
    if (at < windowAt || at + length > windowAt + window.length) {
      int want = (int) Math.min(PIECE, copy.length() - at);
      try {
        window = copy.store().range(copy.object(), at, want);
        windowAt = at;
      } catch (IOException e) {
        if (want == length) {
          throw e;
        }
        // One bad place must not hide what is around it.
        return copy.store().range(copy.object(), at, length);
      }
    }
    int from = (int) (at - windowAt);
    return Arrays.copyOfRange(window, from, from + length);
  }

  private byte[] digest(long at, int length) throws IOException {
    MessageDigest sha = FrameCodec.sha256();
    if (at >= windowAt && at + length <= windowAt + window.length) {
      sha.update(window, (int) (at - windowAt), length);
      return sha.digest();
    }
    for (long from = at; from < at + length; from += PIECE) {
      sha.update(bytes(from, (int) Math.min(PIECE, at + length - from)));
    }
    return sha.digest();
  }
}
