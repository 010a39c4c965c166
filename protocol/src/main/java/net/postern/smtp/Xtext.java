package net.postern.smtp;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The encoding of parameter values that may hold anything (RFC 3461 §4). */
public final class Xtext {
  private Xtext() {}

  /**
   * Undoes it.
   *
   * @return empty when the text is no xtext, or stands for octets that are not UTF-8 or are control
   *     characters
   */
  public static Optional<String> decode(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '+') {
        int high = i + 2 < text.length() ? hex(text.charAt(i + 1)) : -1;
        int low = i + 2 < text.length() ? hex(text.charAt(i + 2)) : -1;
        if (high < 0 || low < 0) {
          return Optional.empty();
        }
        out.write(high << 4 | low);
        i += 2;
      } else if (c >= 0x21 && c <= 0x7e && c != '=') {
        out.write(c);
      } else {
        return Optional.empty();
      }
    }
    try {
      String decoded =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(out.toByteArray())).toString();
      return decoded.chars().anyMatch(Character::isISOControl)
          ? Optional.empty()
          : Optional.of(decoded);
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  // RFC 3461 §4: upper case only; lower case is taken, since programs send it.
  private static int hex(char c) {
    return Character.digit(c, 16);
  }
}
