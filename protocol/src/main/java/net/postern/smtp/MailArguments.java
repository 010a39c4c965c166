package net.postern.smtp;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import net.postern.address.EmailAddress;

/**
 * The arguments of {@code MAIL} (RFC 5321 §4.1.1.2).
 *
 * @param reversePath empty for {@code <>}, from which reports come (RFC 5321 §4.5.5)
 * @param size octets that the client announces (RFC 1870 §6)
 * @param body what the client says of the content (RFC 6152 §3); it is taken as it comes either way
 * @param utf8 whether SMTPUTF8 was asked for (RFC 6531 §3.4)
 */
public record MailArguments(
    Optional<EmailAddress> reversePath, OptionalLong size, Body body, boolean utf8) {

  /** RFC 6152 §2. BINARYMIME (RFC 3030 §3) is not offered. */
  public enum Body {
    SEVEN_BIT,
    EIGHT_BIT_MIME
  }

  /** RFC 1870 §6: size-value is 1*20DIGIT. */
  private static final int MAX_SIZE_DIGITS = 20;

  /** Reads what follows {@code MAIL}: {@code FROM:<reverse-path> parameters}. */
  public static Parsed<MailArguments> parse(String text) {
    return parse(text, false);
  }

  /**
   * The same.
   *
   * @param auth whether AUTH was offered, so that {@code AUTH=} may be given (RFC 4954 §5); what it
   *     says is for servers that trust each other and is not used
   */
  public static Parsed<MailArguments> parse(String text, boolean auth) {
    return switch (PathArguments.parse(text, "FROM:")) {
      case Parsed.Bad<PathArguments> bad -> new Parsed.Bad<>(bad.reply());
      case Parsed.Ok<PathArguments> ok -> parameters(ok.value(), auth);
    };
  }

  private static Parsed<MailArguments> parameters(PathArguments arguments, boolean auth) {
    OptionalLong size = OptionalLong.empty();
    Optional<Body> body = Optional.empty();
    boolean utf8 = false;
    for (String parameter : arguments.parameters()) {
      int equals = parameter.indexOf('=');
      String keyword = equals < 0 ? parameter : parameter.substring(0, equals);
      String value = equals < 0 ? "" : parameter.substring(equals + 1);
      switch (keyword.toUpperCase(Locale.ROOT)) {
        case "SIZE" -> {
          OptionalLong read = sizeOf(value);
          if (size.isPresent() || read.isEmpty()) {
            return Parsed.bad(501, "5.5.4", "SIZE takes one number of octets");
          }
          size = read;
        }
        case "BODY" -> {
          if (body.isPresent()) {
            return Parsed.bad(501, "5.5.4", "BODY may be given once");
          }
          switch (value.toUpperCase(Locale.ROOT)) {
            case "7BIT" -> body = Optional.of(Body.SEVEN_BIT);
            case "8BITMIME" -> body = Optional.of(Body.EIGHT_BIT_MIME);
            default -> {
              return Parsed.bad(501, "5.5.4", "BODY is 7BIT or 8BITMIME here");
            }
          }
        }
        case "SMTPUTF8" -> {
          if (equals >= 0 || utf8) {
            return Parsed.bad(501, "5.5.4", "SMTPUTF8 takes no value and may be given once");
          }
          utf8 = true;
        }
        case "AUTH" -> {
          if (!auth) {
            return Parsed.bad(555, "5.5.4", "Parameter of MAIL not recognized");
          }
          Optional<String> who = Xtext.decode(value);
          if (who.isEmpty()
              || !(who.get().equals("<>") || EmailAddress.parse(who.get()).isPresent())) {
            return Parsed.bad(501, "5.5.4", "AUTH takes <> or an address as xtext");
          }
        }
        // RFC 5321 §4.1.1.11: parameters that are not recognized are refused with 555.
        default -> {
          return Parsed.bad(555, "5.5.4", "Parameter of MAIL not recognized");
        }
      }
    }
    if (arguments.path().isEmpty()) {
      return new Parsed.Ok<>(
          new MailArguments(Optional.empty(), size, body.orElse(Body.SEVEN_BIT), utf8));
    }
    if (!utf8 && arguments.nonAscii()) {
      return PathArguments.needsUtf8();
    }
    Optional<EmailAddress> address = EmailAddress.parse(arguments.path());
    if (address.isEmpty()) {
      return Parsed.bad(501, "5.1.7", "The sender is not a valid address");
    }
    return new Parsed.Ok<>(new MailArguments(address, size, body.orElse(Body.SEVEN_BIT), utf8));
  }

  private static OptionalLong sizeOf(String digits) {
    if (digits.isEmpty() || digits.length() > MAX_SIZE_DIGITS) {
      return OptionalLong.empty();
    }
    long value = 0;
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      if (c < '0' || c > '9') {
        return OptionalLong.empty();
      }
      // Twenty digits may exceed a long; any such size is far over every limit.
      value = value > (Long.MAX_VALUE - 9) / 10 ? Long.MAX_VALUE : value * 10 + (c - '0');
    }
    return OptionalLong.of(value);
  }
}
