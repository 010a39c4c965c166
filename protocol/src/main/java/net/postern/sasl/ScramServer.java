package net.postern.sasl;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One dialogue of SCRAM-SHA-256 or SCRAM-SHA-256-PLUS, the server's side (RFC 5802 §5, RFC 7677).
 * The client's first message names the user; {@link #challenge} answers with that user's salt;
 * {@link #finish} judges the proof. One thread.
 *
 * <p>For a user that does not exist give keys that no password fits, with a salt that is always the
 * same for that name: the dialogue then goes on to the same end as with a wrong password.
 */
public final class ScramServer {
  private final String header;
  private final byte[] binding;
  private final String bare;
  private final String authorization;
  private final String user;
  private final String clientNonce;
  private String nonce = "";
  private String serverFirst = "";
  private List<ScramKeys> keys = List.of();

  /** How a dialogue ends. */
  public sealed interface End {
    /**
     * The client knows the password.
     *
     * @param message the server's last, by which the client knows that the server knows it too
     * @param which of the keys that {@link #challenge} was given, from 0
     */
    record Proven(String message, int which) implements End {}

    /** The proof does not fit. */
    record Wrong() implements End {}

    /** No message of SCRAM, or not of this dialogue. */
    record Malformed() implements End {}
  }

  private ScramServer(
      String header,
      byte[] binding,
      String bare,
      String authorization,
      String user,
      String clientNonce) {
    this.header = header;
    this.binding = binding;
    this.bare = bare;
    this.authorization = authorization;
    this.user = user;
    this.clientNonce = clientNonce;
  }

  /**
   * Reads the client's first message.
   *
   * @param plus whether the client chose the PLUS form
   * @param bindings data of the TLS connection by the name of its type, such as {@code
   *     tls-exporter}; empty when PLUS is not offered
   * @return empty when it is malformed, asks for an extension or a type of binding that is not
   *     there, or says that we do not offer PLUS though we do (RFC 5802 §6: someone in between took
   *     it away)
   */
  public static Optional<ScramServer> begin(
      byte[] message, boolean plus, Map<String, byte[]> bindings) {
    Optional<String> text = PlainMessage.utf8(message);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    // gs2-header = gs2-cbind-flag "," [ authzid ] ","
    String[] parts = text.get().split(",", 3);
    if (parts.length < 3 || !(parts[1].isEmpty() || parts[1].startsWith("a="))) {
      return Optional.empty();
    }
    Optional<byte[]> binding = binding(parts[0], plus, bindings);
    Optional<String> authorization =
        parts[1].isEmpty() ? Optional.of("") : name(parts[1].substring(2));
    String[] attributes = parts[2].split(",", -1);
    // RFC 5802 §5.1: an "m=" attribute comes first and asks for an extension that we do not know.
    if (binding.isEmpty()
        || authorization.isEmpty()
        || attributes.length < 2
        || !attributes[0].startsWith("n=")
        || !attributes[1].startsWith("r=")) {
      return Optional.empty();
    }
    Optional<String> user = name(attributes[0].substring(2));
    String nonce = attributes[1].substring(2);
    if (user.isEmpty() || user.get().isEmpty() || !isNonce(nonce)) {
      return Optional.empty();
    }
    return Optional.of(
        new ScramServer(
            parts[0] + "," + parts[1] + ",",
            binding.get(),
            parts[2],
            authorization.get(),
            user.get(),
            nonce));
  }

  private static Optional<byte[]> binding(String flag, boolean plus, Map<String, byte[]> bindings) {
    byte[] none = {};
    if (plus) {
      return flag.startsWith("p=")
          ? Optional.ofNullable(bindings.get(flag.substring(2)))
          : Optional.empty();
    }
    return flag.equals("n") || (flag.equals("y") && bindings.isEmpty())
        ? Optional.of(none)
        : Optional.empty();
  }

  /** Who the client says it is, not yet prepared. */
  public String user() {
    return user;
  }

  /** As whom it wants to act; empty for itself. */
  public String authorization() {
    return authorization;
  }

  /**
   * The server's first message, to a client that has one of several passwords.
   *
   * @param all at least one, all with the same salt and iterations, for these are told before it is
   *     known which the client has
   * @param nonce printable, without commas, new for each dialogue
   */
  public String challenge(List<ScramKeys> all, String nonce) {
    ScramKeys of = all.getFirst();
    for (ScramKeys each : all) {
      if (each.iterations() != of.iterations() || !Arrays.equals(each.salt(), of.salt())) {
        throw new IllegalArgumentException("keys with different salts");
      }
    }
    this.keys = List.copyOf(all);
    this.nonce = clientNonce + nonce;
    this.serverFirst =
        "r=%s,s=%s,i=%d"
            .formatted(this.nonce, Base64.getEncoder().encodeToString(of.salt()), of.iterations());
    return serverFirst;
  }

  /** Judges the client's last message. Takes the same time whatever is wrong with the proof. */
  public End finish(byte[] message) {
    if (keys.isEmpty()) {
      throw new IllegalStateException("no challenge was given");
    }
    Optional<String> text = PlainMessage.utf8(message);
    int proofAt = text.map(each -> each.lastIndexOf(",p=")).orElse(-1);
    if (proofAt < 0) {
      return new End.Malformed();
    }
    String withoutProof = text.orElseThrow().substring(0, proofAt);
    String[] attributes = withoutProof.split(",", -1);
    if (attributes.length < 2
        || !attributes[0].startsWith("c=")
        || !attributes[1].equals("r=" + nonce)) {
      return new End.Malformed();
    }
    Optional<byte[]> channel = base64(attributes[0].substring(2));
    Optional<byte[]> proof = base64(text.orElseThrow().substring(proofAt + 3));
    if (channel.isEmpty() || proof.isEmpty() || proof.get().length != ScramKeys.BYTES) {
      return new End.Malformed();
    }
    byte[] prefix = header.getBytes(StandardCharsets.UTF_8);
    byte[] expected = Arrays.copyOf(prefix, prefix.length + binding.length);
    System.arraycopy(binding, 0, expected, prefix.length, binding.length);
    boolean bound = MessageDigest.isEqual(expected, channel.get());
    // RFC 5802 §3: AuthMessage.
    String all = bare + "," + serverFirst + "," + withoutProof;
    int which = -1;
    for (int i = 0; i < keys.size(); i++) {
      which = proves(keys.get(i), all, proof.get()) ? i : which;
    }
    return bound && which >= 0
        ? new End.Proven(
            "v="
                + Base64.getEncoder()
                    .encodeToString(ScramKeys.hmac(keys.get(which).serverKey(), all)),
            which)
        : new End.Wrong();
  }

  private static boolean proves(ScramKeys keys, String all, byte[] proof) {
    byte[] clientKey = ScramKeys.hmac(keys.storedKey(), all);
    for (int i = 0; i < clientKey.length; i++) {
      clientKey[i] ^= proof[i];
    }
    return MessageDigest.isEqual(keys.storedKey(), ScramKeys.hash(clientKey));
  }

  private static Optional<byte[]> base64(String text) {
    try {
      return Optional.of(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  // RFC 5802 §5.1: printable = %x21-2B / %x2D-7E
  private static boolean isNonce(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= 0x21 && c <= 0x7e && c != ',');
  }

  // RFC 5802 §5.1: "=2C" and "=3D" stand for comma and equals; another "=" is an error.
  private static Optional<String> name(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '=') {
        out.append(c);
      } else if (text.startsWith("=2C", i)) {
        out.append(',');
        i += 2;
      } else if (text.startsWith("=3D", i)) {
        out.append('=');
        i += 2;
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(out.toString());
  }
}
