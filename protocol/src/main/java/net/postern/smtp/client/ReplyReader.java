package net.postern.smtp.client;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import net.postern.smtp.Reply;

/** Cuts a server's bytes into replies. Owned by one connection, used by one thread at a time. */
final class ReplyReader {
  private final InputStream in;
  private final byte[] buffer = new byte[Reply.MAX_LINE];
  private int from;
  private int to;

  ReplyReader(InputStream in) {
    this.in = in;
  }

  /** Whether bytes arrived that belong to no reply that was waited for. */
  boolean hasLeftovers() {
    return from < to;
  }

  /**
   * Waits for one whole reply.
   *
   * @throws IOException when the connection ends, or for what is no SMTP reply
   */
  Reply read() throws IOException {
    Reply.Collector collector = new Reply.Collector();
    while (!collector.add(line())) {
      // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow.
    }
    return collector.reply();
  }

  private String line() throws IOException {
    int scanned = from;
    while (true) {
      for (int i = scanned; i < to; i++) {
        if (buffer[i] == '\n') {
          int end = i > from && buffer[i - 1] == '\r' ? i - 1 : i;
          String line = new String(buffer, from, end - from, StandardCharsets.UTF_8);
          from = i + 1;
          if (from == to) {
            from = 0;
            to = 0;
          }
          return line;
        }
      }
      if (from > 0) {
        System.arraycopy(buffer, from, buffer, 0, to - from);
        to -= from;
        from = 0;
      }
      scanned = to;
      if (to == buffer.length) {
        throw new IOException("a line of the server's reply is over " + Reply.MAX_LINE + " bytes");
      }
      int count = in.read(buffer, to, buffer.length - to);
      if (count < 0) {
        throw new EOFException("the server closed the connection");
      }
      to += count;
    }
  }
}
