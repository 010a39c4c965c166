package net.postern.filter;

import java.util.Optional;

/**
 * A test: its name, what it weighs and what it looks for, declared in this one place.
 *
 * @param name upper case with underscores, unique; as SpamAssassin or rspamd name it where the
 *     meaning is the same
 * @param score added when the test hits
 * @param group which kind of evidence it is
 * @param description one line for people, without a final stop
 * @param check the test itself
 */
public record Rule(String name, double score, Group group, String description, Check check) {

  /** Kinds of evidence. */
  public enum Group {
    /** Standard samples that prove that the filter works. */
    SAMPLE,
    /** What was seen of the sender while it was connected. */
    DIALOGUE,
    /** The header section. */
    HEADER,
    /** MIME structure and attachments. */
    MIME,
    /** Words and markup of the body. */
    BODY,
    /** Addresses of web pages. */
    URL
  }

  /** A look at the message: empty when there is nothing, else the detail (maybe empty text). */
  @FunctionalInterface
  public interface Check {
    Optional<String> look(MailView mail);
  }

  /** Nothing seen. */
  public static final Optional<String> NO = Optional.empty();

  /** Seen; the name of the test says it all. */
  public static final Optional<String> YES = Optional.of("");

  private static final int MAX_DETAIL = 200;

  /** {@link #YES} or {@link #NO}. */
  public static Optional<String> when(boolean seen) {
    return seen ? YES : NO;
  }

  /** Seen, with what it was; control characters are taken out and the rest cut to one line. */
  public static Optional<String> seen(String detail) {
    StringBuilder out = new StringBuilder(Math.min(detail.length(), MAX_DETAIL));
    detail
        .codePoints()
        .limit(MAX_DETAIL)
        .forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? ' ' : c));
    return Optional.of(out.toString());
  }
}
