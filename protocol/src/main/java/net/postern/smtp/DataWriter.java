package net.postern.smtp;

import java.io.IOException;
import java.io.OutputStream;

/**
 * Sends a message's content after {@code DATA}: doubles the dot at the start of a line and ends
 * with CRLF.CRLF (RFC 5321 §4.5.2, §4.1.1.4).
 */
public final class DataWriter {
  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] DOT = {'.'};
  private static final byte[] END = {'.', '\r', '\n'};

  private DataWriter() {}

  /**
   * Writes the content and the end of data; does not flush. Runs between dots go out in one write
   * each, so a stream whose buffer holds the message makes one write to the socket of it.
   *
   * @param content lines with CRLF; a last line without it gets one. A lone CR or LF, which must
   *     never be sent (RFC 5321 §2.3.8), is sent as CRLF; what came in through our own server has
   *     none.
   */
  public static void write(byte[] content, OutputStream out) throws IOException {
    int length = content.length;
    int runStart = 0;
    int i = 0;
    if (length > 0 && content[0] == '.') {
      out.write(DOT);
    }
    while ((i = ByteScan.special(content, i, length)) < length) {
      byte found = content[i];
      if (found == 0) {
        i++;
        continue;
      }
      int next = i + 1;
      if (found == '\r' && next < length && content[next] == '\n') {
        next++;
      } else {
        out.write(content, runStart, i - runStart);
        out.write(CRLF);
        runStart = next;
      }
      if (next < length && content[next] == '.') {
        out.write(content, runStart, next - runStart);
        out.write(DOT);
        runStart = next;
      }
      i = next;
    }
    out.write(content, runStart, length - runStart);
    if (length > 0 && content[length - 1] != '\n' && content[length - 1] != '\r') {
      out.write(CRLF);
    }
    out.write(END);
  }
}
