package net.postern.sasl;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The one message of PLAIN (RFC 4616 §2).
 *
 * @param authorization as whom the client wants to act; empty for itself
 * @param name who the client is
 * @param password as it was typed, not yet prepared
 */
public record PlainMessage(String authorization, String name, String password) {

  /** Reads {@code [authzid] NUL authcid NUL passwd}; empty when it is nothing of the kind. */
  public static Optional<PlainMessage> parse(byte[] message) {
    Optional<String> text = utf8(message);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    String[] parts = text.get().split("\0", -1);
    return parts.length == 3 && !parts[1].isEmpty() && !parts[2].isEmpty()
        ? Optional.of(new PlainMessage(parts[0], parts[1], parts[2]))
        : Optional.empty();
  }

  /** Bytes as text; empty when they are not UTF-8. */
  public static Optional<String> utf8(byte[] bytes) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  /** Never shows the password. */
  @Override
  public String toString() {
    return "PlainMessage[" + name + "]";
  }
}
