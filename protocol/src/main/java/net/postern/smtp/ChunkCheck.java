package net.postern.smtp;

/**
 * Looks for the defects of {@link ContentDefect} in a message that comes by {@code BDAT} (RFC
 * 3030), where no end has to be found and no dot taken out. Without BINARYMIME the content has to
 * be lines with CRLF there too (RFC 3030 §3). One message for each check, pieces of any size; one
 * thread.
 */
public final class ChunkCheck {
  private ContentDefect defect = ContentDefect.NONE;
  private boolean afterCr;
  private int lineLength;

  /** Looks at the next piece of the message. */
  public void check(byte[] bytes, int from, int to) {
    int i = from;
    while (i < to) {
      if (afterCr) {
        afterCr = false;
        if (bytes[i] == '\n') {
          i++;
          lineLength = 0;
          continue;
        }
        found(ContentDefect.BARE_CR);
      }
      int special = ByteScan.special(bytes, i, to);
      lineLength = Math.min(lineLength + special - i, DataDecoder.MAX_TEXT_LINE + 1);
      if (lineLength > DataDecoder.MAX_TEXT_LINE) {
        found(ContentDefect.LINE_TOO_LONG);
      }
      if (special < to) {
        switch (bytes[special]) {
          case '\r' -> afterCr = true;
          case '\n' -> found(ContentDefect.BARE_LF);
          default -> found(ContentDefect.NUL);
        }
      }
      i = special + 1;
    }
  }

  /** The first defect, once the whole message was looked at. */
  public ContentDefect finish() {
    if (afterCr) {
      found(ContentDefect.BARE_CR);
    }
    return defect;
  }

  private void found(ContentDefect found) {
    if (defect == ContentDefect.NONE) {
      defect = found;
    }
  }
}
