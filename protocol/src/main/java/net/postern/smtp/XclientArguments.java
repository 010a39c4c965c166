package net.postern.smtp;

import java.net.InetAddress;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The attributes of {@code XCLIENT} (Postfix' XCLIENT_README): what a proxy says of the client
 * whose dialogue it passes on. An attribute that is not named, or has no value to tell, is empty.
 *
 * @param name verified reverse DNS name of the client
 * @param helo what the client called itself
 * @param login who the client logged in as, at the proxy
 */
public record XclientArguments(
    Optional<String> name,
    Optional<InetAddress> address,
    Optional<String> helo,
    Optional<String> login) {
  /** The attributes that are understood, as EHLO offers them. */
  public static final String OFFER =
      "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT REVERSE_NAME";

  private static final int MAX_VALUE = 255;
  private static final String IPV6 = "IPV6:";
  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*");

  /** Reads {@code ATTRIBUTE=value} pairs. */
  public static Parsed<XclientArguments> parse(String text) {
    Optional<String> name = Optional.empty();
    Optional<InetAddress> address = Optional.empty();
    Optional<String> helo = Optional.empty();
    Optional<String> login = Optional.empty();
    Set<String> seen = new HashSet<>();
    if (text.isBlank()) {
      return Parsed.bad(501, "5.5.4", "XCLIENT takes attributes");
    }
    for (String pair : text.split("[ \t]+", -1)) {
      int equals = pair.indexOf('=');
      String attribute = equals < 0 ? pair : pair.substring(0, equals).toUpperCase(Locale.ROOT);
      if (equals < 0 || !seen.add(attribute)) {
        return Parsed.bad(501, "5.5.4", "XCLIENT takes each attribute once, with =value");
      }
      Optional<String> value = Xtext.decode(pair.substring(equals + 1));
      if (value.isEmpty() || value.get().length() > MAX_VALUE) {
        return Parsed.bad(501, "5.5.4", "A value of XCLIENT is no xtext, or too long");
      }
      Optional<String> told = value.filter(each -> !isUnavailable(each));
      switch (attribute) {
        case "NAME" -> name = told;
        case "HELO" -> helo = told;
        case "LOGIN" -> login = told.filter(each -> !each.isEmpty());
        case "ADDR" -> {
          if (told.isPresent()) {
            address = address(told.get());
            if (address.isEmpty()) {
              return Parsed.bad(501, "5.5.4", "ADDR of XCLIENT is no address");
            }
          }
        }
        // Told, and of no use here: whose service it is says the listener.
        case "PORT", "PROTO", "DESTADDR", "DESTPORT", "REVERSE_NAME" -> {}
        default -> {
          return Parsed.bad(501, "5.5.4", "An attribute of XCLIENT is not known here");
        }
      }
    }
    if (!helo.map(XclientArguments::isWord).orElse(true)
        || !name.map(XclientArguments::isWord).orElse(true)) {
      return Parsed.bad(501, "5.5.4", "A name of XCLIENT is no name");
    }
    return new Parsed.Ok<>(new XclientArguments(name, address, helo, login));
  }

  private static boolean isUnavailable(String value) {
    return value.equalsIgnoreCase("[UNAVAILABLE]") || value.equalsIgnoreCase("[TEMPUNAVAIL]");
  }

  private static boolean isWord(String text) {
    return !text.isEmpty()
        && text.chars().noneMatch(c -> c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '"');
  }

  private static Optional<InetAddress> address(String text) {
    String literal =
        text.regionMatches(true, 0, IPV6, 0, IPV6.length()) ? text.substring(IPV6.length()) : text;
    // Java would also read 10.1 and fe80::1%eth0.
    if (!ADDRESS.matcher(literal).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.ofLiteral(literal));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
