package net.postern.smtp.client;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Cuts a server's bytes into replies. Owned by one connection, used by one thread at a time. */
final class ReplyReader {
  /** RFC 5321 §4.5.3.1.5 asks for 512 octets; servers in the field go beyond. */
  static final int MAX_LINE = 4_096;

  /** Most lines of one reply; a long EHLO has about twenty. */
  static final int MAX_LINES = 200;

  private final InputStream in;
  private final byte[] buffer = new byte[MAX_LINE];
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
  ServerReply read() throws IOException {
    String line = line();
    int code = code(line);
    if (!continues(line)) {
      return new ServerReply(code, List.of(textOf(line)));
    }
    List<String> lines = new ArrayList<>();
    lines.add(textOf(line));
    // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow.
    while (continues(line)) {
      if (lines.size() == MAX_LINES) {
        throw new IOException("the server's reply has more than " + MAX_LINES + " lines");
      }
      line = line();
      if (code(line) != code) {
        throw new IOException("the lines of the server's reply have different codes");
      }
      lines.add(textOf(line));
    }
    return new ServerReply(code, lines);
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
        throw new IOException("a line of the server's reply is over " + MAX_LINE + " bytes");
      }
      int count = in.read(buffer, to, buffer.length - to);
      if (count < 0) {
        throw new EOFException("the server closed the connection");
      }
      to += count;
    }
  }

  private static int code(String line) throws IOException {
    if (line.length() >= 3
        && line.charAt(0) >= '2'
        && line.charAt(0) <= '5'
        && isDigit(line.charAt(1))
        && isDigit(line.charAt(2))
        && (line.length() == 3 || line.charAt(3) == ' ' || line.charAt(3) == '-')) {
      return (line.charAt(0) - '0') * 100 + (line.charAt(1) - '0') * 10 + (line.charAt(2) - '0');
    }
    throw new IOException("the server's answer is no SMTP reply");
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean continues(String line) {
    return line.length() > 3 && line.charAt(3) == '-';
  }

  private static String textOf(String line) {
    return line.length() > 4 ? line.substring(4) : "";
  }
}
