package net.postern.delivery;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * Puts header lines before a message and a tag before its subject. The rest stays byte for byte;
 * without either the very same array is returned.
 */
final class Marking {
  /** RFC 5322 §2.1.1: lines should be no longer. */
  private static final int LINE = 78;

  /** UTF-8 bytes that fit an encoded word of 75 characters (RFC 2047 §2) in base64. */
  private static final int WORD_BYTES = 45;

  private static final byte[] SUBJECT = "subject:".getBytes(StandardCharsets.US_ASCII);

  private Marking() {}

  static byte[] apply(byte[] content, String mark, String tag) {
    if (mark.isEmpty() && tag.isEmpty()) {
      return content;
    }
    byte[] before = mark.getBytes(StandardCharsets.UTF_8);
    if (tag.isEmpty()) {
      return joined(before, content, 0, new byte[0]);
    }
    String word = encoded(tag);
    int subject = subject(content);
    if (subject < 0) {
      return joined(
          (mark + "Subject: " + word + "\r\n").getBytes(StandardCharsets.UTF_8),
          content,
          0,
          new byte[0]);
    }
    int at = subject + SUBJECT.length;
    int end = lineEnd(content, at);
    int text = at;
    while (text < end && (content[text] == ' ' || content[text] == '\t')) {
      text++;
    }
    String inserted = " " + word;
    if (text < end) {
      // The old text moves to a line of its own where both do not fit; it is never blank, since a
      // line of white space alone is obsolete (RFC 5322 §4.2).
      boolean fits = SUBJECT.length + inserted.length() + 1 + (end - text) <= LINE;
      inserted += fits ? " " : "\r\n ";
      return joined(before, content, at, inserted.getBytes(StandardCharsets.UTF_8), text);
    }
    return joined(before, content, at, inserted.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] joined(byte[] before, byte[] content, int at, byte[] inserted) {
    return joined(before, content, at, inserted, at);
  }

  private static byte[] joined(byte[] before, byte[] content, int at, byte[] inserted, int goOnAt) {
    byte[] out = new byte[before.length + at + inserted.length + content.length - goOnAt];
    int used = 0;
    System.arraycopy(before, 0, out, used, before.length);
    used += before.length;
    System.arraycopy(content, 0, out, used, at);
    used += at;
    System.arraycopy(inserted, 0, out, used, inserted.length);
    used += inserted.length;
    System.arraycopy(content, goOnAt, out, used, content.length - goOnAt);
    return out;
  }

  /** Where the first Subject field begins; -1 when the header has none. */
  private static int subject(byte[] content) {
    int line = 0;
    while (line < content.length) {
      if (content[line] == '\r' || content[line] == '\n') {
        return -1;
      }
      if (startsWithSubject(content, line)) {
        return line;
      }
      int end = lineEnd(content, line);
      line = end;
      while (line < content.length && content[line] != '\n') {
        line++;
      }
      line++;
    }
    return -1;
  }

  private static boolean startsWithSubject(byte[] content, int at) {
    if (content.length - at < SUBJECT.length) {
      return false;
    }
    for (int i = 0; i < SUBJECT.length; i++) {
      byte b = content[at + i];
      if ((b >= 'A' && b <= 'Z' ? b + 0x20 : b) != SUBJECT[i]) {
        return false;
      }
    }
    return true;
  }

  private static int lineEnd(byte[] content, int from) {
    int i = from;
    while (i < content.length && content[i] != '\r' && content[i] != '\n') {
      i++;
    }
    return i;
  }

  private static String encoded(String tag) {
    StringBuilder plain = new StringBuilder(tag.length());
    boolean ascii = true;
    for (int i = 0; i < tag.length(); i++) {
      char c = tag.charAt(i);
      plain.append(c < 0x20 || c == 0x7f ? ' ' : c);
      ascii &= c < 0x7f;
    }
    String text = plain.toString().strip();
    if (ascii && text.length() <= LINE - 16) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (from < text.length()) {
      int to = from;
      int bytes = 0;
      while (to < text.length()) {
        int point = text.codePointAt(to);
        int more = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        if (bytes + more > WORD_BYTES) {
          break;
        }
        bytes += more;
        to += Character.charCount(point);
      }
      if (from > 0) {
        out.append("\r\n ");
      }
      byte[] part = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
      out.append("=?utf-8?b?").append(Base64.getEncoder().encodeToString(part)).append("?=");
      from = to;
    }
    return out.toString();
  }
}
