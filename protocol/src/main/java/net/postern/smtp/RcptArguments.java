package net.postern.smtp;

import java.util.Locale;
import java.util.Optional;
import net.postern.address.EmailAddress;

/**
 * The arguments of {@code RCPT} (RFC 5321 §4.1.1.3).
 *
 * @param forwardPath empty for {@code <postmaster>} without a domain, which means the postmaster of
 *     the server spoken to (RFC 5321 §4.5.1)
 */
public record RcptArguments(Optional<EmailAddress> forwardPath) {

  /**
   * Reads what follows {@code RCPT}: {@code TO:<forward-path>}.
   *
   * @param utf8 whether the transaction was begun with SMTPUTF8, so that addresses may be UTF-8
   *     (RFC 6531 §3.4)
   */
  public static Parsed<RcptArguments> parse(String text, boolean utf8) {
    return switch (PathArguments.parse(text, "TO:")) {
      case Parsed.Bad<PathArguments> bad -> new Parsed.Bad<>(bad.reply());
      case Parsed.Ok<PathArguments> ok -> address(ok.value(), utf8);
    };
  }

  private static Parsed<RcptArguments> address(PathArguments arguments, boolean utf8) {
    if (!arguments.parameters().isEmpty()) {
      // RFC 5321 §4.1.1.11. No extension offered has parameters for RCPT.
      return Parsed.bad(555, "5.5.4", "Parameter of RCPT not recognized");
    }
    String path = arguments.path();
    if (path.toLowerCase(Locale.ROOT).equals("postmaster")) {
      return new Parsed.Ok<>(new RcptArguments(Optional.empty()));
    }
    if (!utf8 && arguments.nonAscii()) {
      return PathArguments.needsUtf8();
    }
    Optional<EmailAddress> address = EmailAddress.parse(path);
    if (address.isEmpty()) {
      return Parsed.bad(501, "5.1.3", "The recipient is not a valid address");
    }
    return new Parsed.Ok<>(new RcptArguments(address));
  }
}
