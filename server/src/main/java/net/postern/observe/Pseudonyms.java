package net.postern.observe;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/**
 * Puts a token in the place of the local part of every e-mail address in a log line, so that a log
 * that is copied, shipped or stolen names nobody. The domain stays. The same address gets the same
 * token in every line of every node: {@code ann@example.com} is {@code ~4f2a9c0d11be@example.com}
 * from end to end, and {@code postern admin pseudonym} tells which.
 *
 * <p>The token is the start of an HMAC-SHA-256 (RFC 2104) of the address in lower case, under the
 * system's key: without the key nobody can try addresses against it. Before the key is known, and
 * where it cannot be had, there is {@code ~} alone.
 *
 * <p>Works on finished lines, whatever wrote them: an address inside a remote server's reply or an
 * exception's message is found as well as one in a field. What looks like an address but is none
 * may be replaced too. Safe for many threads.
 */
public final class Pseudonyms {
  /** Bytes of the HMAC that a token shows. */
  private static final int TOKEN_BYTES = 6;

  private final Optional<SecretKey> key;

  private Pseudonyms(Optional<SecretKey> key) {
    this.key = key;
  }

  /** With tokens. */
  public static Pseudonyms with(SecretKey key) {
    return new Pseudonyms(Optional.of(key));
  }

  /** Without: addresses cannot be told apart. */
  static Pseudonyms withoutKey() {
    return new Pseudonyms(Optional.empty());
  }

  /** The form of an address that the log has. */
  public String of(String address) {
    int at = address.lastIndexOf('@');
    return at < 0 ? address : token(address) + address.substring(at);
  }

  private String token(String address) {
    if (key.isEmpty()) {
      return "~";
    }
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key.get());
      byte[] digest =
          mac.doFinal(address.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8));
      return "~" + HexFormat.of().formatHex(digest, 0, TOKEN_BYTES);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HMAC-SHA-256 is missing from this Java runtime", e);
    }
  }

  /** Replaces the local parts of all addresses in {@code out} from an index on. */
  void hide(StringBuilder out, int from) {
    int at = out.lastIndexOf("@");
    // From the end, so that what is still to be looked at keeps its place.
    while (at >= from) {
      int begin = localPart(out, from, at);
      int end = domainEnd(out, at + 1);
      if (begin < at && end > at + 1) {
        String address = unescaped(out.substring(begin, end));
        out.replace(begin, at, token(address));
      }
      at = begin > from ? out.lastIndexOf("@", Math.min(begin, at) - 1) : -1;
    }
  }

  // Where the local part before an at-sign begins.
  private static int localPart(StringBuilder out, int from, int at) {
    int begin = at;
    if (begin > from && out.charAt(begin - 1) == '"') {
      // A quoted string (RFC 5321 §4.1.2), which may hold anything; to its opening quote.
      int open = begin - 2;
      while (open >= from
          && out.charAt(open) != '\n'
          && !(out.charAt(open) == '"' && !isInnerQuote(out, from, open))) {
        open--;
      }
      if (open >= from && out.charAt(open) == '"') {
        return open > from && out.charAt(open - 1) == '\\' ? open - 1 : open;
      }
    }
    while (begin > from && !endsAddress(out.charAt(begin - 1))) {
      begin--;
    }
    // name=value: the name stays.
    int equals = out.indexOf("=", begin);
    if (equals > begin && equals < at && isName(out, begin, equals)) {
      return out.charAt(begin) >= 'a' && startsWord(out, begin) ? equals + 1 : begin;
    }
    return begin;
  }

  // A quote inside a quoted string has one more backslash before it than its ends have.
  private static boolean isInnerQuote(StringBuilder out, int from, int quote) {
    int slashes = 0;
    while (quote - 1 - slashes >= from && out.charAt(quote - 1 - slashes) == '\\') {
      slashes++;
    }
    return slashes >= 2;
  }

  private static boolean isName(StringBuilder out, int begin, int end) {
    for (int i = begin; i < end; i++) {
      char c = out.charAt(i);
      if (c < 'a' || c > 'z') {
        return false;
      }
    }
    return true;
  }

  private static boolean startsWord(StringBuilder out, int begin) {
    return begin == 0 || out.charAt(begin - 1) == ' ' || out.charAt(begin - 1) == '\n';
  }

  private static int domainEnd(StringBuilder out, int from) {
    int end = from;
    if (end < out.length() && out.charAt(end) == '[') {
      int close = out.indexOf("]", end);
      return close < 0 ? end : close + 1;
    }
    while (end < out.length()
        && (Character.isLetterOrDigit(out.charAt(end))
            || out.charAt(end) == '-'
            || out.charAt(end) == '.'
            || out.charAt(end) == '\\')) {
      end++;
    }
    while (end > from && out.charAt(end - 1) == '.') {
      end--;
    }
    return end;
  }

  private static boolean endsAddress(char c) {
    return c <= ' ' || "<>()[],;:\"".indexOf(c) >= 0;
  }

  // As the address was before the line's quotes, so that its token is the same everywhere.
  private static String unescaped(String text) {
    return text.replace("\\\"", "\"");
  }
}
