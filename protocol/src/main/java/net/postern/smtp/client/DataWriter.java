package net.postern.smtp.client;

import java.io.IOException;

/**
 * Puts a message into the form of DATA (RFC 5321 §4.5.2) in one pass: dots doubled at the start of
 * lines, CRLF at the end, then the end mark.
 *
 * <p>A CR or LF that stands alone becomes CRLF. Some servers take a bare line end for a line end
 * and some do not; what they then disagree on is where the message stops, which lets a sender
 * smuggle a second message past the first server. Nothing that leaves here can be read two ways.
 *
 * <p>Runs without a change are copied whole, so that a clean message is one copy and, when it fits
 * the buffer, one write. Owned by one connection.
 */
final class DataWriter {
  /** Where a full buffer goes. */
  @FunctionalInterface
  interface Sink {
    void write(byte[] bytes, int length) throws IOException;
  }

  private final Sink sink;
  private final byte[] buffer;
  private int used;

  DataWriter(Sink sink, byte[] buffer) {
    this.sink = sink;
    this.buffer = buffer;
  }

  /** Writes the whole message and its end mark. The last bytes leave with the last write. */
  void write(byte[] content) throws IOException {
    int length = content.length;
    int start = 0;
    int i = 0;
    if (length > 0 && content[0] == '.') {
      put('.');
    }
    while (i < length) {
      byte b = content[i];
      if (b > '\r' || (b != '\r' && b != '\n')) {
        i++;
        continue;
      }
      int after = i + 1;
      if (b == '\r' && after < length && content[after] == '\n') {
        after++;
        if (after < length && content[after] == '.') {
          copy(content, start, after);
          put('.');
          start = after;
        }
      } else {
        copy(content, start, i);
        put('\r');
        put('\n');
        if (after < length && content[after] == '.') {
          put('.');
        }
        start = after;
      }
      i = after;
    }
    copy(content, start, length);
    byte last = length == 0 ? (byte) '\n' : content[length - 1];
    if (last != '\n' && last != '\r') {
      put('\r');
      put('\n');
    }
    put('.');
    put('\r');
    put('\n');
    flush();
  }

  private void copy(byte[] content, int from, int to) throws IOException {
    int at = from;
    while (at < to) {
      if (used == buffer.length) {
        flush();
      }
      int count = Math.min(to - at, buffer.length - used);
      System.arraycopy(content, at, buffer, used, count);
      used += count;
      at += count;
    }
  }

  private void put(char c) throws IOException {
    if (used == buffer.length) {
      flush();
    }
    buffer[used++] = (byte) c;
  }

  private void flush() throws IOException {
    int count = used;
    used = 0;
    if (count > 0) {
      sink.write(buffer, count);
    }
  }
}
