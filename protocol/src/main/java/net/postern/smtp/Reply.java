package net.postern.smtp;

import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One reply of an SMTP server (RFC 5321 §4.2).
 *
 * @param code 200 to 599
 * @param enhanced status such as {@code 5.1.1} (RFC 3463), the empty string when there is none
 * @param lines texts without code, enhanced status and line end; at least one, each may be empty
 */
public record Reply(int code, String enhanced, List<String> lines) {

  /** Most lines of a reply that a reader takes; real ones have some dozens at most. */
  public static final int MAX_LINES = 200;

  /**
   * Longest line that a reader takes, in characters without the line end. RFC 5321 §4.5.3.1.5 says
   * 512 with it; servers that explain themselves at length exceed it.
   */
  public static final int MAX_LINE = 4096;

  public Reply {
    lines = List.copyOf(lines);
    if (code < 200 || code > 599) {
      throw new IllegalArgumentException("no reply code: " + code);
    }
    if (lines.isEmpty()) {
      throw new IllegalArgumentException("a reply needs a line");
    }
  }

  /** A reply of one line. */
  public static Reply of(int code, String enhanced, String text) {
    return new Reply(code, enhanced, List.of(text));
  }

  /** A reply without enhanced status: greeting, EHLO, HELO, 354, 221 to a foreign tongue. */
  public static Reply plain(int code, String... lines) {
    return new Reply(code, "", List.of(lines));
  }

  /** 2xx. */
  public boolean positive() {
    return code < 300;
  }

  /** 3xx: go on, for example {@code 354}. */
  public boolean intermediate() {
    return code >= 300 && code < 400;
  }

  /** 4xx: try again later. */
  public boolean transientFailure() {
    return code >= 400 && code < 500;
  }

  /** 5xx: do not try again. */
  public boolean permanentFailure() {
    return code >= 500;
  }

  /** The enhanced status, or {@code other} when there is none. */
  public String enhancedOr(String other) {
    return enhanced.isEmpty() ? other : enhanced;
  }

  /**
   * All lines as one, joined by spaces, for people and logs; control characters, which a server may
   * have sent, as question marks.
   */
  public String text() {
    return withoutControls(lines.size() == 1 ? lines.getFirst() : String.join(" ", lines));
  }

  /**
   * The form on the wire, each line ended by CRLF. Characters outside printable ASCII and TAB
   * become {@code ?}, so that no text can break a line (RFC 5321 §4.2, {@code textstring}).
   */
  public byte[] toBytes() {
    StringBuilder out = new StringBuilder(64);
    appendTo(out);
    return out.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private void appendTo(StringBuilder out) {
    int last = lines.size() - 1;
    for (int i = 0; i <= last; i++) {
      out.append(code).append(i < last ? '-' : ' ');
      if (!enhanced.isEmpty()) {
        out.append(enhanced).append(' ');
      }
      String text = lines.get(i);
      for (int at = 0; at < text.length(); at++) {
        char c = text.charAt(at);
        out.append((c >= 0x20 && c < 0x7f) || c == '\t' ? c : '?');
      }
      out.append("\r\n");
    }
  }

  /** One line for people: {@code 550 5.1.1 No such user}. */
  @Override
  public String toString() {
    return enhanced.isEmpty() ? code + " " + text() : code + " " + enhanced + " " + text();
  }

  private static String withoutControls(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isISOControl(text.charAt(i))) {
        return replaceControls(text);
      }
    }
    return text;
  }

  private static String replaceControls(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      out.append(Character.isISOControl(text.charAt(i)) ? '?' : text.charAt(i));
    }
    return out.toString();
  }

  /**
   * Puts a reply together from the lines that a server sends. One for each reply; not for use by
   * several threads.
   */
  public static final class Collector {
    private final List<String> lines = new ArrayList<>(1);
    private int code;
    private String enhanced = "";

    /**
     * Takes the next line.
     *
     * @param line without line end
     * @return whether it was the last of the reply, so that {@link #reply} may be called
     * @throws ProtocolException when it is no reply line, its code is another than the first line's
     *     (RFC 5321 §4.2.1), or the reply is over {@link #MAX_LINES} or {@link #MAX_LINE}
     */
    public boolean add(String line) throws ProtocolException {
      if (line.length() > MAX_LINE || lines.size() == MAX_LINES) {
        throw new ProtocolException("reply too long");
      }
      int lineCode = codeOf(line);
      if (lineCode < 0 || (!lines.isEmpty() && lineCode != code)) {
        throw new ProtocolException("not an SMTP reply: " + excerpt(line));
      }
      code = lineCode;
      String text = line.length() > 4 ? line.substring(4) : "";
      int status = enhancedLength(text, code);
      if (status > 0 && enhanced.isEmpty()) {
        enhanced = text.substring(0, status);
      }
      // RFC 2034 §4: each line of a reply has the same status; another one is text.
      if (status > 0 && status == enhanced.length() && text.startsWith(enhanced)) {
        text = status < text.length() ? text.substring(status + 1) : "";
      }
      lines.add(text);
      return line.length() == 3 || line.charAt(3) != '-';
    }

    /** The reply, once {@link #add} returned true. */
    public Reply reply() {
      return new Reply(code, enhanced, lines);
    }

    // RFC 5321 §4.2: three digits, then a space or hyphen; §4.2.1: a code alone must be understood.
    private static int codeOf(String line) {
      if (line.length() < 3 || (line.length() > 3 && " -".indexOf(line.charAt(3)) < 0)) {
        return -1;
      }
      int value = 0;
      for (int i = 0; i < 3; i++) {
        char c = line.charAt(i);
        if (c < '0' || c > '9') {
          return -1;
        }
        value = value * 10 + (c - '0');
      }
      return value < 200 || value > 599 ? -1 : value;
    }

    // RFC 2034 §4, RFC 3463 §2: class "." subject "." detail, the class that of the reply code.
    private static int enhancedLength(String text, int code) {
      if (text.length() < 5 || text.charAt(0) - '0' != code / 100 || text.charAt(1) != '.') {
        return 0;
      }
      int subject = digits(text, 2);
      if (subject == 2 || subject >= text.length() || text.charAt(subject) != '.') {
        return 0;
      }
      int detail = digits(text, subject + 1);
      boolean whole =
          detail == text.length() || text.charAt(detail) == ' ' || text.charAt(detail) == '\t';
      return detail > subject + 1 && whole ? detail : 0;
    }

    private static int digits(String text, int from) {
      int i = from;
      while (i < text.length() && i < from + 3 && text.charAt(i) >= '0' && text.charAt(i) <= '9') {
        i++;
      }
      return i;
    }

    private static String excerpt(String line) {
      return withoutControls(line.length() <= 80 ? line : line.substring(0, 80) + "...");
    }
  }
}
