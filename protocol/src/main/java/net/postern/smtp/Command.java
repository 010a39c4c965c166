package net.postern.smtp;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * One command line (RFC 5321 §4.1.1).
 *
 * @param verb upper case; verbs are compared without case (RFC 5321 §2.4)
 * @param argument what follows the verb, without the spaces around it; may be empty
 */
public record Command(String verb, String argument) {

  /** More letters than any verb has. */
  private static final int MAX_VERB = 16;

  /**
   * Reads a line without its CRLF. Octets above 127 have to be UTF-8 (RFC 6531 §3.3); control
   * characters other than TAB are in no command.
   */
  public static Parsed<Command> parse(byte[] bytes, int from, int to) {
    boolean ascii = true;
    for (int i = from; i < to; i++) {
      byte b = bytes[i];
      if (b < 0) {
        ascii = false;
      } else if ((b < 0x20 && b != '\t') || b == 0x7f) {
        return Parsed.bad(500, "5.5.2", "Control characters are not part of any command");
      }
    }
    String line;
    if (ascii) {
      line = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    } else {
      try {
        line =
            StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes, from, to - from))
                .toString();
      } catch (CharacterCodingException e) {
        return Parsed.bad(500, "5.5.2", "The command is not valid UTF-8");
      }
    }
    int space = 0;
    while (space < line.length() && line.charAt(space) != ' ' && line.charAt(space) != '\t') {
      space++;
    }
    if (space == 0 || space > MAX_VERB) {
      return Parsed.bad(500, "5.5.2", "Command not recognized");
    }
    // RFC 5321 §4.1.1: trailing white space before the CRLF is to be tolerated.
    return new Parsed.Ok<>(
        new Command(
            line.substring(0, space).toUpperCase(Locale.ROOT), line.substring(space).strip()));
  }
}
