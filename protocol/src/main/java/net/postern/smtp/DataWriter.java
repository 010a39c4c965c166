package net.postern.smtp;

import java.io.IOException;

/**
 * Puts a message into the form in which it travels after {@code DATA}, in one pass: the dot at the
 * start of a line doubled, CRLF at the end, then the end mark (RFC 5321 §4.5.2, §4.1.1.4).
 *
 * <p>A CR or LF that stands alone becomes CRLF (RFC 5321 §2.3.8: it must never be sent). Some
 * servers take a bare line end for a line end and some do not; what they then disagree on is where
 * the message stops, which lets a sender smuggle a second message past the first server. NUL is
 * left out (RFC 5321 §2.4 and RFC 5322 §3.5 have no place for it): a server that drops it would see
 * an end mark where another sees none. Nothing that leaves here can be read two ways.
 *
 * <p>Runs without a change are copied whole, so that a clean message is one copy and, when it fits
 * the buffer, one write. One thread at a time; may be used again for the next message.
 */
public final class DataWriter {
  /** Where a full buffer goes. */
  @FunctionalInterface
  public interface Sink {
    /** Takes {@code bytes[0, length)}; the array is used again afterwards. */
    void write(byte[] bytes, int length) throws IOException;
  }

  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] DOT = {'.'};
  private static final byte[] END = {'.', '\r', '\n'};

  private final Sink sink;
  private final byte[] buffer;
  private int used;

  /**
   * @param buffer at least one byte; nobody else's while this is in use
   */
  public DataWriter(Sink sink, byte[] buffer) {
    this.sink = sink;
    this.buffer = buffer;
  }

  /** Writes the whole message and its end mark. The last bytes leave with the last write. */
  public void write(byte[] content) throws IOException {
    int length = content.length;
    int start = lineStart(content, 0);
    int i = start;
    while ((i = ByteScan.special(content, i, length)) < length) {
      byte found = content[i];
      int next = i + 1;
      if (found == '\r' && next < length && content[next] == '\n') {
        next++;
      } else {
        put(content, start, i);
        start = next;
        if (found == 0) {
          i = next;
          continue;
        }
        put(CRLF);
      }
      if (next < length && (content[next] == '.' || content[next] == 0)) {
        put(content, start, next);
        start = lineStart(content, next);
        next = start;
      }
      i = next;
    }
    put(content, start, length);
    if (!endsALine(content)) {
      put(CRLF);
    }
    put(END);
    flush();
  }

  // Where to go on at the start of a line: behind NULs, with the dot doubled that follows them.
  private int lineStart(byte[] content, int at) throws IOException {
    int next = at;
    while (next < content.length && content[next] == 0) {
      next++;
    }
    if (next < content.length && content[next] == '.') {
      put(DOT);
    }
    return next;
  }

  // Nothing at all needs no line end either.
  private static boolean endsALine(byte[] content) {
    int last = content.length - 1;
    while (last >= 0 && content[last] == 0) {
      last--;
    }
    return last < 0 || content[last] == '\n' || content[last] == '\r';
  }

  private void put(byte[] bytes) throws IOException {
    put(bytes, 0, bytes.length);
  }

  private void put(byte[] bytes, int from, int to) throws IOException {
    int at = from;
    while (at < to) {
      if (used == buffer.length) {
        flush();
      }
      int count = Math.min(to - at, buffer.length - used);
      System.arraycopy(bytes, at, buffer, used, count);
      used += count;
      at += count;
    }
  }

  private void flush() throws IOException {
    int count = used;
    used = 0;
    if (count > 0) {
      sink.write(buffer, count);
    }
  }
}
