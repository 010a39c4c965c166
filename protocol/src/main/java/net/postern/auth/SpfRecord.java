package net.postern.auth;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.auth.SpfMechanism.Prefixes;
import net.postern.auth.SpfResult.Code;

/**
 * A domain's policy (RFC 7208 §4.6.1). A mistake anywhere makes all of it invalid (RFC 7208 §4.6).
 *
 * @param mechanisms in their order
 * @param redirect whose policy counts when no mechanism matches (RFC 7208 §6.1)
 * @param explanation where the text for the sender is (RFC 7208 §6.2)
 */
record SpfRecord(
    List<SpfMechanism> mechanisms, Optional<SpfText> redirect, Optional<SpfText> explanation) {

  /** Longest record that is read, in characters: many times what fits one UDP packet. */
  static final int MAX_LENGTH = 16_384;

  private static final String VERSION = "v=spf1";
  private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1};

  /** Whether a text record is one of SPF, however broken (RFC 7208 §4.5). */
  static boolean isOne(String text) {
    return text.regionMatches(true, 0, VERSION, 0, VERSION.length())
        && (text.length() == VERSION.length() || text.charAt(VERSION.length()) == ' ');
  }

  /** Reads a record; {@link #isOne} holds for it. */
  static SpfRecord parse(String text) throws SpfSyntaxException {
    if (text.length() > MAX_LENGTH) {
      throw new SpfSyntaxException("it is longer than " + MAX_LENGTH + " characters");
    }
    List<SpfMechanism> mechanisms = new ArrayList<>();
    Optional<SpfText> redirect = Optional.empty();
    Optional<SpfText> explanation = Optional.empty();
    for (String term : text.substring(VERSION.length()).split(" ", -1)) {
      if (term.isEmpty()) {
        continue;
      }
      requireVisible(term);
      int end = nameEnd(term);
      boolean modifier = end < term.length() && term.charAt(end) == '=';
      if (!modifier) {
        mechanisms.add(mechanism(term));
        continue;
      }
      String value = term.substring(end + 1);
      switch (modifierName(term, end)) {
        case "redirect" -> {
          once("redirect", redirect);
          redirect = Optional.of(SpfText.parse(value, SpfText.Use.DOMAIN));
        }
        case "exp" -> {
          once("exp", explanation);
          explanation = Optional.of(SpfText.parse(value, SpfText.Use.DOMAIN));
        }
        // RFC 7208 §6: others mean nothing, but have to be written right.
        default -> SpfText.parse(value, SpfText.Use.MODIFIER);
      }
    }
    return new SpfRecord(List.copyOf(mechanisms), redirect, explanation);
  }

  // RFC 7208 §3.1: only ASCII; nothing but blanks separates terms.
  private static void requireVisible(String term) throws SpfSyntaxException {
    for (int i = 0; i < term.length(); i++) {
      char c = term.charAt(i);
      if (c <= ' ' || c >= 0x7f) {
        throw new SpfSyntaxException("it has a character that is not allowed");
      }
    }
  }

  /** RFC 7208 §6: each of the two once. */
  private static void once(String name, Optional<SpfText> before) throws SpfSyntaxException {
    if (before.isPresent()) {
      throw new SpfSyntaxException(name + "= is there twice");
    }
  }

  private static int nameEnd(String term) {
    for (int i = 0; i < term.length(); i++) {
      if (":/=".indexOf(term.charAt(i)) >= 0) {
        return i;
      }
    }
    return term.length();
  }

  private static String modifierName(String term, int end) throws SpfSyntaxException {
    boolean good = end > 0 && SpfText.isLetter(term.charAt(0));
    for (int i = 0; i < end; i++) {
      char c = term.charAt(i);
      good &= SpfText.isLetter(c) || SpfText.isDigit(c) || "-_.".indexOf(c) >= 0;
    }
    if (!good) {
      throw wrong(term);
    }
    return term.substring(0, end).toLowerCase(Locale.ROOT);
  }

  private static SpfMechanism mechanism(String term) throws SpfSyntaxException {
    Code qualifier =
        switch (term.charAt(0)) {
          case '-' -> Code.FAIL;
          case '~' -> Code.SOFTFAIL;
          case '?' -> Code.NEUTRAL;
          default -> Code.PASS;
        };
    String text = "+-~?".indexOf(term.charAt(0)) >= 0 ? term.substring(1) : term;
    int end = nameEnd(text);
    String name = text.substring(0, end).toLowerCase(Locale.ROOT);
    String rest = text.substring(end);
    return switch (name) {
      case "all" -> {
        if (!rest.isEmpty()) {
          throw wrong(term);
        }
        yield new SpfMechanism.All(qualifier, term);
      }
      case "include" -> new SpfMechanism.Include(qualifier, term, domain(term, rest));
      case "exists" -> new SpfMechanism.Exists(qualifier, term, domain(term, rest));
      case "ptr" ->
          new SpfMechanism.Ptr(
              qualifier, term, rest.isEmpty() ? Optional.empty() : Optional.of(domain(term, rest)));
      case "a", "mx" -> {
        int cut = prefixesAt(rest);
        Optional<SpfText> domain =
            cut == 0 ? Optional.empty() : Optional.of(domain(term, rest.substring(0, cut)));
        Prefixes prefixes = prefixes(term, rest.substring(cut));
        yield name.equals("a")
            ? new SpfMechanism.A(qualifier, term, domain, prefixes)
            : new SpfMechanism.Mx(qualifier, term, domain, prefixes);
      }
      case "ip4", "ip6" -> network(qualifier, term, name.equals("ip4") ? 4 : 16, rest);
      default -> throw new SpfSyntaxException("there is no mechanism \"" + shown(term) + "\"");
    };
  }

  private static SpfText domain(String term, String rest) throws SpfSyntaxException {
    if (!rest.startsWith(":")) {
      throw wrong(term);
    }
    return SpfText.parse(rest.substring(1), SpfText.Use.DOMAIN);
  }

  /** Where the prefix lengths begin that the text ends with; a name may have slashes as well. */
  private static int prefixesAt(String text) {
    int at = digitsBefore(text, text.length());
    if (at < text.length() && at > 0 && text.charAt(at - 1) == '/') {
      at--;
      if (at > 0 && text.charAt(at - 1) == '/') {
        at--;
        // The IPv4 length before it, if there is one.
        int four = digitsBefore(text, at);
        return four < at && four > 0 && text.charAt(four - 1) == '/' ? four - 1 : at;
      }
      return at;
    }
    return text.length();
  }

  private static int digitsBefore(String text, int end) {
    int at = end;
    while (at > 0 && SpfText.isDigit(text.charAt(at - 1))) {
      at--;
    }
    return at;
  }

  private static Prefixes prefixes(String term, String text) throws SpfSyntaxException {
    int two = text.indexOf("//");
    String four = two < 0 ? text : text.substring(0, two);
    return new Prefixes(
        four.isEmpty() ? 32 : prefix(term, four.substring(1), 32),
        two < 0 ? 128 : prefix(term, text.substring(two + 2), 128));
  }

  private static int prefix(String term, String digits, int most) throws SpfSyntaxException {
    boolean number =
        !digits.isEmpty()
            && digits.length() <= 3
            && digits.chars().allMatch(c -> c >= '0' && c <= '9')
            && (digits.length() == 1 || digits.charAt(0) != '0');
    int value = number ? Integer.parseInt(digits) : most + 1;
    if (value > most) {
      throw wrong(term);
    }
    return value;
  }

  private static SpfMechanism network(Code qualifier, String term, int octets, String rest)
      throws SpfSyntaxException {
    if (!rest.startsWith(":")) {
      throw wrong(term);
    }
    int slash = rest.indexOf('/');
    String address = rest.substring(1, slash < 0 ? rest.length() : slash);
    int most = octets * 8;
    int prefix = slash < 0 ? most : prefix(term, rest.substring(slash + 1), most);
    byte[] network = octets == 4 ? four(term, address) : six(term, address);
    return new SpfMechanism.Ip(qualifier, term, network, prefix);
  }

  // Each octet 0 to 255 without leading zeros (RFC 7208 §5.6).
  private static byte[] four(String term, String address) throws SpfSyntaxException {
    String[] octets = address.split("\\.", -1);
    byte[] bytes = new byte[4];
    if (octets.length != bytes.length) {
      throw wrong(term);
    }
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) prefix(term, octets[i], 255);
    }
    return bytes;
  }

  private static byte[] six(String term, String address) throws SpfSyntaxException {
    boolean plausible =
        address.indexOf(':') >= 0
            && address.chars().allMatch(c -> Character.digit(c, 16) >= 0 || c == ':' || c == '.');
    if (!plausible) {
      throw wrong(term);
    }
    try {
      InetAddress parsed = Inet6Address.ofLiteral(address);
      byte[] bytes = parsed.getAddress();
      if (bytes.length == 16) {
        return bytes;
      }
      // An IPv4 address inside: no client matches it, since those count as IPv4 themselves.
      byte[] mapped = Arrays.copyOf(MAPPED, 16);
      System.arraycopy(bytes, 0, mapped, MAPPED.length, bytes.length);
      return mapped;
    } catch (IllegalArgumentException e) {
      throw wrong(term);
    }
  }

  private static SpfSyntaxException wrong(String term) {
    return new SpfSyntaxException("\"" + shown(term) + "\" is not by the rules");
  }

  private static String shown(String term) {
    return term.length() > 100 ? term.substring(0, 100) + "..." : term;
  }
}
