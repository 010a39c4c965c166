package net.postern.mime;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Adds header fields to a message and marks its Subject; every other byte stays as it was, so that
 * signatures over the body and over the other fields still hold. The message is copied once, in
 * {@link #write}. One thread.
 */
public final class HeaderWriter {
  /** Longest value taken, in characters; the rest is cut. */
  public static final int MAX_VALUE = 16 * 1024;

  /** Lines are folded at blanks where they would pass this (RFC 5322 §2.1.1). */
  private static final int FOLD_AT = 78;

  private final byte[] message;
  private final List<byte[]> prepended = new ArrayList<>(2);
  private int insertAt = -1;
  private byte[] inserted = new byte[0];

  private HeaderWriter(byte[] message) {
    this.message = message;
  }

  /** Starts from a message; its bytes are read, never changed. */
  public static HeaderWriter of(byte[] message) {
    return new HeaderWriter(message);
  }

  /**
   * Puts a field before all others, above those prepended earlier, as trace fields stand (RFC 5321
   * §4.4).
   *
   * @param value any text: line ends and control characters become blanks, so nothing can be
   *     injected; it is folded, and words outside ASCII are written as UTF-8 (RFC 6532 §3.2)
   * @throws IllegalArgumentException for a name outside RFC 5322 §2.2
   */
  public HeaderWriter prepend(String name, String value) {
    prepended.add(field(name, value));
    return this;
  }

  /**
   * Puts whole fields before all others as they are; the empty text adds none.
   *
   * @param lines folded already, each line with CRLF
   * @throws IllegalArgumentException when the header would end inside or behind them
   */
  public HeaderWriter prependLines(String lines) {
    if (lines.isEmpty()) {
      return this;
    }
    if (!lines.endsWith("\r\n") || lines.startsWith("\r\n") || lines.contains("\r\n\r\n")) {
      throw new IllegalArgumentException("not whole header lines: " + clean(lines));
    }
    prepended.add(lines.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /**
   * Puts a tag such as {@code [SPAM]} and a blank before the text of the first Subject; adds a
   * Subject after the other fields when there is none. Does nothing when the tag is blank or the
   * Subject starts with it already. Encoded-words stay valid: the tag is a word of its own (RFC
   * 2047 §5).
   */
  public HeaderWriter tagSubject(String tag) {
    String mark = clean(tag).trim();
    if (mark.isEmpty()) {
      return this;
    }
    Message parsed = Message.parse(message, HEADERS_ONLY);
    Optional<HeaderField> subject = parsed.headers().first("Subject");
    if (subject.isEmpty()) {
      insertAt = parsed.headers().end();
      byte[] line = field("Subject", isAscii(mark) ? mark : EncodedWords.encode(mark));
      // A last line without line end would swallow the field.
      boolean open = insertAt > 0 && message[insertAt - 1] != '\n';
      inserted = open ? concat(eol().getBytes(StandardCharsets.US_ASCII), line) : line;
      return this;
    }
    HeaderField field = subject.get();
    if (field.decoded().startsWith(mark)) {
      return this;
    }
    int at = field.valueStart();
    while (at < field.end() && Ascii.isBlank(message[at])) {
      at++;
    }
    boolean empty = at == field.end() || message[at] == '\r' || message[at] == '\n';
    // Between two encoded-words the blank would be dropped by readers (RFC 2047 §6.2): it goes
    // into the word.
    boolean word = at + 1 < field.end() && message[at] == '=' && message[at + 1] == '?';
    String text = isAscii(mark) ? mark : EncodedWords.encode(word ? mark + " " : mark);
    String before = at == field.valueStart() ? " " : "";
    insertAt = at;
    String after = empty ? "" : fits(field.start(), at, before + text) ? " " : eol() + " ";
    inserted = (before + text + after).getBytes(StandardCharsets.US_ASCII);
    return this;
  }

  /** Whether the line from {@code start} stays in bounds with a text and a blank put in. */
  private boolean fits(int start, int at, String text) {
    int end = at;
    while (end < message.length && message[end] != '\r' && message[end] != '\n') {
      end++;
    }
    return end - start + text.length() + 1 <= FOLD_AT;
  }

  /** The new message; the very array that it began with when nothing was added. */
  public byte[] write() {
    if (prepended.isEmpty() && inserted.length == 0) {
      return message;
    }
    int extra = inserted.length;
    for (byte[] field : prepended) {
      extra += field.length;
    }
    byte[] out = new byte[Math.addExact(message.length, extra)];
    int n = 0;
    for (byte[] field : prepended.reversed()) {
      System.arraycopy(field, 0, out, n, field.length);
      n += field.length;
    }
    int split = Math.max(insertAt, 0);
    System.arraycopy(message, 0, out, n, split);
    System.arraycopy(inserted, 0, out, n + split, inserted.length);
    System.arraycopy(message, split, out, n + split + inserted.length, message.length - split);
    return out;
  }

  private static final ParseLimits HEADERS_ONLY = new ParseLimits(1, 1, 1000, 1);

  private byte[] field(String name, String value) {
    if (name.isEmpty() || !name.chars().allMatch(c -> c > ' ' && c < 0x7f && c != ':')) {
      throw new IllegalArgumentException("no field name: " + name);
    }
    String eol = eol();
    StringBuilder out = new StringBuilder(name).append(':');
    int column = out.length();
    for (String word : clean(value).split(" ")) {
      if (word.isEmpty()) {
        continue;
      }
      if (column + 1 + word.length() > FOLD_AT && column > name.length() + 1) {
        out.append(eol);
        column = 0;
      }
      out.append(' ').append(word);
      column += 1 + word.length();
    }
    return out.append(eol).toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The line end that the message uses: CRLF unless its first line ends in a bare LF. */
  private String eol() {
    int next = Ascii.nextLine(message, 0, message.length);
    boolean bare = next > 0 && message[next - 1] == '\n' && (next < 2 || message[next - 2] != '\r');
    return bare ? "\n" : "\r\n";
  }

  private static String clean(String value) {
    StringBuilder out = new StringBuilder(Math.min(value.length(), MAX_VALUE));
    value
        .codePoints()
        .limit(MAX_VALUE)
        .forEach(
            c ->
                out.appendCodePoint(
                    c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) ? ' ' : c));
    return out.toString();
  }

  private static boolean isAscii(String text) {
    return text.chars().allMatch(c -> c < 0x80);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] out = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, out, a.length, b.length);
    return out;
  }
}
