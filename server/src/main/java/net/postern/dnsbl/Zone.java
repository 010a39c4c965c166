package net.postern.dnsbl;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One list.
 *
 * @param name below which it is asked, lower case
 * @param kind what it lists; a zone for both families of addresses is two of these
 * @param codes what its answers mean
 * @param lookup page for those who are listed, {@code %s} in it stands for what is; or empty
 * @param terms who may use it; or empty
 * @param listedPoint what is always listed, as it stands before the zone's name (RFC 5782 §5)
 * @param unlistedPoint what never is
 */
public record Zone(
    String name,
    Kind kind,
    List<Code> codes,
    String lookup,
    String terms,
    String listedPoint,
    String unlistedPoint) {

  /** What a list is about. */
  public enum Kind {
    IP4,
    IP6,
    DOMAIN
  }

  /**
   * A kind of answer.
   *
   * @param weight empty for an answer that is an error and no listing
   */
  public record Code(CodePattern pattern, Optional<Integer> weight, String what) {}

  /** What an answer of a list comes to. */
  sealed interface Meaning {
    /** Listed. */
    record Listed(int weight, String what) implements Meaning {}

    /** Listed for a reason that the table gives no weight. */
    record Unweighed() implements Meaning {}

    /** No listing: the list refuses to answer, or is no list any more. */
    record Fault(String why) implements Meaning {}
  }

  public Zone {
    codes = List.copyOf(codes);
  }

  /** How it is called where several of one name can be meant. */
  public String title() {
    return kind == Kind.IP6 ? name + " (IPv6)" : name;
  }

  /** The question for an address. */
  static String question(InetAddress address) {
    return reversed(address.getAddress());
  }

  /** RFC 5782 §2.1, §2.4: decimal bytes, or hexadecimal half bytes, the last one first. */
  static String reversed(byte[] bytes) {
    StringBuilder out = new StringBuilder(64);
    for (int i = bytes.length - 1; i >= 0; i--) {
      int b = bytes[i] & 0xff;
      if (!out.isEmpty()) {
        out.append('.');
      }
      if (bytes.length == 4) {
        out.append(b);
      } else {
        out.append(Character.forDigit(b & 0xf, 16))
            .append('.')
            .append(Character.forDigit(b >> 4, 16));
      }
    }
    return out.toString();
  }

  /** What one address record says. */
  Meaning meaning(InetAddress answer) {
    byte[] bytes = answer.getAddress();
    String shown = answer.getHostAddress();
    if (bytes.length != 4 || bytes[0] != 127) {
      return new Meaning.Fault("answered " + shown + ", which is outside 127.0.0.0/8");
    }
    // RFC 5782 §2.1 keeps 127.0.0.1 for "not listed"; lists say with it that they do not answer.
    if (shown.equals("127.0.0.1") || shown.startsWith("127.255.255.")) {
      return new Meaning.Fault("answered " + shown + ", an error code");
    }
    int weight = 0;
    StringBuilder what = new StringBuilder();
    boolean known = false;
    for (Code code : codes) {
      if (code.pattern().matches(bytes)) {
        if (code.weight().isEmpty()) {
          return new Meaning.Fault("answered " + shown + ": " + code.what());
        }
        known = true;
        weight += code.weight().get();
        what.append(what.isEmpty() ? "" : ", ").append(code.what());
      }
    }
    return known ? new Meaning.Listed(weight, what.toString()) : new Meaning.Unweighed();
  }

  /** The page that says more of a listing; empty when there is none. */
  String lookup(String asked) {
    return lookup.replace("%s", asked.toLowerCase(Locale.ROOT));
  }
}
