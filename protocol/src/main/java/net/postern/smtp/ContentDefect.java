package net.postern.smtp;

/** Why message content cannot be taken, whatever it says. */
public enum ContentDefect {
  NONE("The content has no defect"),
  /** RFC 5321 §2.3.8: CR may only occur as part of CRLF. */
  BARE_CR("The message has a CR without LF, which SMTP does not allow (RFC 5321 section 2.3.8)"),
  /** RFC 5321 §2.3.8: LF may only occur as part of CRLF. */
  BARE_LF("The message has an LF without CR, which SMTP does not allow (RFC 5321 section 2.3.8)"),
  /** RFC 5321 §4.5.2 leaves control characters to the receiver; NUL cuts text short in programs. */
  NUL("The message has a NUL octet, which mail may not have (RFC 5322 section 4)"),
  /** Over {@link DataDecoder#MAX_TEXT_LINE}. */
  LINE_TOO_LONG("The message has a line of more than 1048576 octets; 1000 are allowed");

  private final String sentence;

  ContentDefect(String sentence) {
    this.sentence = sentence;
  }

  /** What is wrong, for the sender to read: ASCII, one line. */
  public String sentence() {
    return sentence;
  }
}
