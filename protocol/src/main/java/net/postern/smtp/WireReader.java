package net.postern.smtp;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Reads a client's command lines and message bytes from a stream, with one read call for each burst
 * that the client sends.
 *
 * <p>Only CRLF ends a line (RFC 5321 §2.3.8). A line with a lone CR or LF, and a line over the
 * bound, is reported at once and then skipped up to its CRLF, so nothing inside it is ever taken
 * for a command.
 *
 * <p>A reader that waits for its client holds {@value #IDLE_BUFFER} bytes; the buffer grows while a
 * burst is larger. One thread at a time.
 */
public final class WireReader {

  /**
   * Longest command line with its CRLF, in octets. RFC 5321 §4.5.3.1.4 asks for 512; RFC 1870 §3
   * adds 26 for SIZE, RFC 6152 §2 adds 17 for BODY, RFC 6531 §3.1 adds 10 for SMTPUTF8, and
   * extensions that clients may name though they are not offered add up to some 1,000 more.
   */
  public static final int MAX_COMMAND_LINE = 2048;

  /** Most octets of a refused line that are skipped in the hope of its end. */
  public static final int MAX_SKIPPED = 64 * 1024;

  /** Longest line of an AUTH dialogue with its CRLF, in octets (RFC 4954 §4). */
  public static final int MAX_AUTH_LINE = 12_288;

  private static final int IDLE_BUFFER = 512;
  private static final int BURST_BUFFER = 4096;
  private static final byte[] EMPTY = {};

  /** What {@link #readLine} found. */
  public enum Line {
    /** A whole line; see {@link #command}. */
    COMPLETE,
    /** More octets than {@link #MAX_COMMAND_LINE} without CRLF. */
    TOO_LONG,
    /** A CR without LF, or an LF without CR. */
    BARE_LINE_END,
    /** What is skipped has gone on for {@link #MAX_SKIPPED} octets; there may be no end of it. */
    ENDLESS,
    /** The client closed its side; what stood before it without CRLF is no line. */
    END_OF_STREAM
  }

  private final InputStream in;
  private byte[] buffer = new byte[IDLE_BUFFER];
  private int start;
  private int end;
  private int lineStart;
  private int lineEnd;
  private boolean skipping;
  private int skipped;

  /**
   * @param in its {@code read} is called only when nothing is left in the buffer that could be
   *     worked on, so it is the place to send replies that are still held back
   */
  public WireReader(InputStream in) {
    this.in = in;
  }

  /** Reads on to the end of the next command line. */
  public Line readLine() throws IOException {
    return readLine(MAX_COMMAND_LINE);
  }

  /**
   * Reads on to the end of the next line.
   *
   * @param longest with its CRLF, in octets; at least {@link #MAX_COMMAND_LINE}
   */
  public Line readLine(int longest) throws IOException {
    if (skipping && !skipLine()) {
      return skipped > MAX_SKIPPED ? Line.ENDLESS : Line.END_OF_STREAM;
    }
    int scanned = start;
    while (true) {
      int at = scanned;
      while ((at = ByteScan.special(buffer, at, end)) < end && buffer[at] == 0) {
        at++; // No end of line; the command parser refuses it.
      }
      if (at + 1 < end || (at < end && buffer[at] == '\n')) {
        if (at + 2 - start > longest) {
          start = at;
          return skip(Line.TOO_LONG);
        }
        if (buffer[at] == '\r' && buffer[at + 1] == '\n') {
          lineStart = start;
          lineEnd = at;
          start = at + 2;
          return Line.COMPLETE;
        }
        start = at + 1;
        return skip(Line.BARE_LINE_END);
      }
      if (end - start >= longest) {
        start = at;
        return skip(Line.TOO_LONG);
      }
      int kept = at - start;
      if (!fill()) {
        return Line.END_OF_STREAM;
      }
      scanned = start + kept;
    }
  }

  /** The octets of the line that {@link #readLine} just completed, without its CRLF. */
  public byte[] line() {
    return Arrays.copyOfRange(buffer, lineStart, lineEnd);
  }

  /**
   * The command on the line that {@link #readLine} just completed. The line is looked at where it
   * lies, so this has to come before the next read.
   */
  public Parsed<Command> command() {
    return Command.parse(buffer, lineStart, lineEnd);
  }

  /** Whether octets were received that nobody has read yet. */
  public boolean hasBuffered() {
    return start < end;
  }

  /**
   * Takes message bytes: those already received first, otherwise straight from the stream.
   *
   * @return how many, at least 1; -1 at the end of the stream
   */
  public int read(byte[] into, int offset, int length) throws IOException {
    if (start < end) {
      int taken = Math.min(length, end - start);
      System.arraycopy(buffer, start, into, offset, taken);
      start += taken;
      return taken;
    }
    if (buffer.length > 0) {
      // The message has a buffer of its own; this one is needed again for the next command.
      buffer = EMPTY;
      start = 0;
      end = 0;
    }
    return in.read(into, offset, length);
  }

  /** Gives back bytes that {@link #read} handed out too many of; nothing else may be buffered. */
  public void unread(byte[] bytes, int from, int to) {
    if (from == to) {
      return;
    }
    if (start < end) {
      byte[] joined = Arrays.copyOfRange(bytes, from, to + end - start);
      System.arraycopy(buffer, start, joined, to - from, end - start);
      buffer = joined;
    } else {
      buffer = Arrays.copyOfRange(bytes, from, to);
    }
    start = 0;
    end = buffer.length;
  }

  private Line skip(Line why) {
    skipping = true;
    skipped = 0;
    return why;
  }

  /** Drops everything up to and including the next CRLF; false when there is none. */
  private boolean skipLine() throws IOException {
    while (true) {
      int at = start;
      while ((at = ByteScan.special(buffer, at, end)) < end) {
        if (buffer[at] == '\r') {
          if (at + 1 == end) {
            break;
          }
          if (buffer[at + 1] == '\n') {
            start = at + 2;
            skipping = false;
            return true;
          }
        }
        at++;
      }
      skipped += at - start;
      start = at;
      if (skipped > MAX_SKIPPED || !fill()) {
        return false;
      }
    }
  }

  /** Reads once more; what is unread moves to the front. Line offsets are void afterwards. */
  private boolean fill() throws IOException {
    int unread = end - start;
    if (unread == 0) {
      if (buffer.length != IDLE_BUFFER) {
        buffer = new byte[IDLE_BUFFER];
      }
    } else if (end == buffer.length) {
      // A line of the largest kind grows the buffer as far as it came; others fit the burst's.
      byte[] target =
          unread < BURST_BUFFER
              ? (buffer.length < BURST_BUFFER ? new byte[BURST_BUFFER] : buffer)
              : new byte[2 * unread];
      System.arraycopy(buffer, start, target, 0, unread);
      buffer = target;
    } else {
      System.arraycopy(buffer, start, buffer, 0, unread);
    }
    start = 0;
    end = unread;
    int n = in.read(buffer, end, buffer.length - end);
    if (n < 0) {
      return false;
    }
    end += n;
    return true;
  }
}
