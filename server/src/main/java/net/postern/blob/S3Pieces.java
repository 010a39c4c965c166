package net.postern.blob;

import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What one object's pieces are: offset and length of each. A piece is an object of its own, with
 * the key of the whole, a dot and its offset in 16 hexadecimal digits, so that keys sort as pieces
 * do. Safe for many threads; one that adds and cuts off, while others read.
 */
final class S3Pieces {
  private static final int DIGITS = 16;

  private final NavigableMap<Long, Integer> lengths = new ConcurrentSkipListMap<>();

  /** What a key means when it is a piece's. */
  record Name(String object, long offset) {}

  static String key(String object, long offset) {
    return "%s.%016x".formatted(object, offset);
  }

  /** Reads the name of a piece; empty when a key is none. */
  static Optional<Name> parse(String key) {
    int dot = key.length() - DIGITS - 1;
    if (dot <= 0 || key.charAt(dot) != '.') {
      return Optional.empty();
    }
    long offset = 0;
    for (int i = dot + 1; i < key.length(); i++) {
      int digit = "0123456789abcdef".indexOf(key.charAt(i));
      if (digit < 0) {
        return Optional.empty();
      }
      offset = offset << 4 | digit;
    }
    return offset < 0 ? Optional.empty() : Optional.of(new Name(key.substring(0, dot), offset));
  }

  void add(long offset, int length) {
    lengths.put(offset, length);
  }

  void remove(long offset) {
    lengths.remove(offset);
  }

  boolean isEmpty() {
    return lengths.isEmpty();
  }

  int count() {
    return lengths.size();
  }

  /** Where the last piece ends. */
  long length() {
    Map.Entry<Long, Integer> last = lengths.lastEntry();
    return last == null ? 0 : last.getKey() + last.getValue();
  }

  /** The offsets of all, the last one first: cut off in this order, what is left has no gap. */
  List<Long> backwards() {
    return List.copyOf(lengths.descendingMap().keySet());
  }

  /** Length of the piece at an offset. */
  int lengthAt(long offset) {
    return lengths.getOrDefault(offset, 0);
  }

  /**
   * A part of one piece, and where it goes.
   *
   * @param piece offset of the piece in the object
   * @param from first byte, in the piece
   * @param to where the bytes go in what is read, when that is less than 2 GiB
   */
  record Slice(long piece, int from, int length, int to) {}

  /**
   * Which parts of which pieces make a range.
   *
   * @param object what failures say it is
   * @throws EOFException when the last piece ends before the range does
   * @throws IOException when a piece in the middle is missing
   */
  List<Slice> slices(String object, long offset, long length) throws IOException {
    long end = offset + length;
    if (end > length()) {
      throw new EOFException("%s ends at %d, before %d".formatted(object, length(), end));
    }
    List<Slice> slices = new ArrayList<>();
    long at = offset;
    while (at < end) {
      Map.Entry<Long, Integer> piece = lengths.floorEntry(at);
      if (piece == null || piece.getKey() + piece.getValue() <= at) {
        throw new IOException("%s: the piece with byte %d is missing".formatted(object, at));
      }
      int from = (int) (at - piece.getKey());
      int count = (int) Math.min(end - at, piece.getValue() - from);
      slices.add(new Slice(piece.getKey(), from, count, (int) (at - offset)));
      at += count;
    }
    return slices;
  }
}
