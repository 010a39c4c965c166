package net.postern.filter.scan;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import net.postern.mime.DecodedStream;

/** Looks for one pattern in bytes (Horspool, 1980): the longer the pattern, the faster. */
public final class ByteSearch {
  private static final int CHUNK = 32 * 1024;

  private final byte[] pattern;
  private final int[] skip = new int[256];

  public ByteSearch(String asciiPattern) {
    pattern = asciiPattern.getBytes(StandardCharsets.US_ASCII);
    Arrays.fill(skip, pattern.length);
    for (int i = 0; i < pattern.length - 1; i++) {
      skip[pattern[i] & 0xff] = pattern.length - 1 - i;
    }
  }

  /** Whether the pattern lies within {@code [from, to)}. */
  public boolean in(byte[] b, int from, int to) {
    int last = pattern.length - 1;
    for (int i = from + last; i < to; i += skip[b[i] & 0xff]) {
      int k = last;
      while (k >= 0 && b[i - last + k] == pattern[k]) {
        k--;
      }
      if (k < 0) {
        return true;
      }
    }
    return false;
  }

  /** Whether the pattern occurs in a stream; reads to the end or to the pattern. */
  public boolean in(DecodedStream stream) {
    byte[] chunk = new byte[CHUNK];
    int kept = 0;
    int n;
    while ((n = stream.read(chunk, kept, chunk.length - kept)) > 0) {
      int end = kept + n;
      if (in(chunk, 0, end)) {
        return true;
      }
      kept = Math.min(end, pattern.length - 1);
      System.arraycopy(chunk, end - kept, chunk, 0, kept);
    }
    return false;
  }
}
