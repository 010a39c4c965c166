package net.postern.smtp;

/**
 * Takes the dots out of a message that follows {@code DATA}, and finds its end (RFC 5321 §4.5.2).
 *
 * <p>Bytes are decoded where they lie, in pieces of any size: {@link #decode} shifts what is
 * content over the dots that are not, in one pass. Only CRLF.CRLF ends the data, so {@code
 * LF.CRLF}, {@code CR.CRLF} and their like, which other servers have taken for the end, are content
 * with a defect. A defect does not stop the search for the end: the session stays in step and the
 * message is refused afterwards. From the first defect on, what is called content is of no use.
 *
 * <p>The first line starts as if after a CRLF: a dot and CRLF at once is an empty message (RFC 5321
 * §4.1.1.4). One message for each decoder; one thread.
 */
public final class DataDecoder {

  /**
   * Longest line taken, in octets without CRLF. RFC 5321 §4.5.3.1.6 allows senders 1,000; mail
   * programs exceed it daily, and a filter that refused those would lose good mail.
   */
  public static final int MAX_TEXT_LINE = 1 << 20;

  private enum At {
    LINE_START,
    LEADING_DOT,
    LEADING_DOT_CR,
    IN_LINE,
    CR
  }

  private At at = At.LINE_START;
  private ContentDefect defect = ContentDefect.NONE;
  private boolean ended;
  private int contentEnd;
  private int consumed;
  private int lineLength;

  /**
   * Decodes {@code bytes[from, to)} in place.
   *
   * @return whether the data has ended. Content is {@code bytes[from, contentEnd())}; what lies
   *     from {@link #consumed()} on is not part of the data
   */
  public boolean decode(byte[] bytes, int from, int to) {
    int out = from;
    int in = from;
    while (in < to) {
      switch (at) {
        case LINE_START -> {
          lineLength = 0;
          if (bytes[in] == '.') {
            in++; // Either the end, or stuffing: in neither case content.
            at = At.LEADING_DOT;
          } else {
            at = At.IN_LINE;
          }
        }
        case LEADING_DOT -> {
          if (bytes[in] == '\r') {
            in++; // Not content when LF follows, and a defect when not.
            at = At.LEADING_DOT_CR;
          } else {
            at = At.IN_LINE;
          }
        }
        case LEADING_DOT_CR -> {
          if (bytes[in] == '\n') {
            contentEnd = out;
            consumed = in + 1;
            ended = true;
            return true;
          }
          found(ContentDefect.BARE_CR);
          at = At.IN_LINE;
        }
        case IN_LINE -> {
          int special = ByteScan.special(bytes, in, to);
          int run = special - in;
          if (run > 0) {
            if (out != in) {
              System.arraycopy(bytes, in, bytes, out, run);
            }
            out += run;
            in = special;
            countLine(run);
          }
          if (special < to) {
            byte b = bytes[in++];
            bytes[out++] = b;
            switch (b) {
              case '\r' -> at = At.CR;
              case '\n' -> found(ContentDefect.BARE_LF);
              default -> found(ContentDefect.NUL);
            }
          }
        }
        case CR -> {
          if (bytes[in] == '\n') {
            bytes[out++] = bytes[in++];
            at = At.LINE_START;
          } else {
            found(ContentDefect.BARE_CR);
            at = At.IN_LINE;
          }
        }
      }
    }
    contentEnd = out;
    consumed = to;
    return false;
  }

  /** End of the content that the last {@link #decode} left in its array. */
  public int contentEnd() {
    return contentEnd;
  }

  /**
   * Where the last {@link #decode} stopped: the end of its bytes, or just after the end of data.
   */
  public int consumed() {
    return consumed;
  }

  /** Whether the end of data was found. */
  public boolean ended() {
    return ended;
  }

  /** The first defect found so far. */
  public ContentDefect defect() {
    return defect;
  }

  private void countLine(int run) {
    lineLength += run;
    if (lineLength > MAX_TEXT_LINE) {
      lineLength = MAX_TEXT_LINE;
      found(ContentDefect.LINE_TOO_LONG);
    }
  }

  private void found(ContentDefect found) {
    if (defect == ContentDefect.NONE) {
      defect = found;
    }
  }
}
