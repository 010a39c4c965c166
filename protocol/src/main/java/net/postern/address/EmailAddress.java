package net.postern.address;

import java.net.IDN;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * A mailbox address (RFC 5321 §4.1.2 {@code Mailbox}, RFC 6531 §3.3 for UTF-8).
 *
 * @param localPart as written, without surrounding quotes; 1 to 64 octets of UTF-8 (RFC 5321
 *     §4.5.3.1.1)
 * @param domain lower case, A-labels, at most 255 octets (RFC 5321 §4.5.3.1.2); or an address
 *     literal in brackets
 */
public record EmailAddress(String localPart, String domain) {

  /** RFC 5321 §4.5.3.1.1. */
  public static final int MAX_LOCAL_PART = 64;

  /** RFC 5321 §4.5.3.1.2. */
  public static final int MAX_DOMAIN = 255;

  /**
   * Reads {@code local@domain}, with a quoted local part allowed.
   *
   * @return empty when the text is no address: empty parts, control characters, over the bounds, a
   *     domain label that no host can have
   */
  public static Optional<EmailAddress> parse(String text) {
    int at = text.lastIndexOf('@');
    if (at <= 0 || at == text.length() - 1) {
      return Optional.empty();
    }
    Optional<String> local = localPart(text.substring(0, at));
    Optional<String> domain = normalDomain(text.substring(at + 1));
    if (local.isEmpty() || domain.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new EmailAddress(local.get(), domain.get()));
  }

  /**
   * Brings a domain to the one form used for comparison and look-up: lower case, A-labels, no final
   * dot. Address literals ({@code [192.0.2.1]}) are kept.
   *
   * @return empty when it cannot be a domain
   */
  public static Optional<String> normalDomain(String text) {
    if (text.startsWith("[") && text.endsWith("]") && text.length() > 2 && text.length() <= 64) {
      return text.chars().allMatch(c -> c > 0x20 && c < 0x7f)
          ? Optional.of(text.toLowerCase(Locale.ROOT))
          : Optional.empty();
    }
    String name = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    if (!isAscii(name)) {
      try {
        name = IDN.toASCII(name, IDN.ALLOW_UNASSIGNED);
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
    name = name.toLowerCase(Locale.ROOT);
    if (name.isEmpty() || name.length() > MAX_DOMAIN) {
      return Optional.empty();
    }
    int labelLength = 0;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '.') {
        if (labelLength == 0) {
          return Optional.empty();
        }
        labelLength = 0;
        continue;
      }
      // Underscore is no LDH character but occurs in the field; refusing it would lose good mail.
      boolean letterDigit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      if (!letterDigit && (c != '-' || labelLength == 0)) {
        return Optional.empty();
      }
      if (++labelLength > 63) {
        return Optional.empty();
      }
    }
    return labelLength == 0 || name.endsWith("-") ? Optional.empty() : Optional.of(name);
  }

  /**
   * The form under which one mailbox is looked up: local part in lower case, then the domain.
   * Postern's own customers' local parts are case-insensitive, as every large provider has them.
   */
  public String key() {
    return localPart.toLowerCase(Locale.ROOT) + "@" + domain;
  }

  /** Whether it takes SMTPUTF8 (RFC 6531) to send this address. */
  public boolean needsUtf8() {
    return !isAscii(localPart);
  }

  /** The form for SMTP commands: the local part is quoted where its characters ask for it. */
  @Override
  public String toString() {
    return (isDotString(localPart) ? localPart : quote(localPart)) + "@" + domain;
  }

  private static Optional<String> localPart(String text) {
    String local = text;
    if (text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"")) {
      Optional<String> unquoted = unquote(text.substring(1, text.length() - 1));
      if (unquoted.isEmpty()) {
        return Optional.empty();
      }
      local = unquoted.get();
    } else if (!isDotString(text)) {
      return Optional.empty();
    }
    int octets = local.getBytes(StandardCharsets.UTF_8).length;
    return octets == 0 || octets > MAX_LOCAL_PART ? Optional.empty() : Optional.of(local);
  }

  // RFC 5321 §4.1.2 Dot-string, with UTF-8 by RFC 6531 §3.3. Leading, trailing and doubled dots are
  // outside the grammar but are in use at large mobile providers: accepted, as others do.
  private static boolean isDotString(String text) {
    if (text.isEmpty()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == ' ' || Character.isISOControl(c) || (c < 0x80 && "()<>[]:;@\\,\"".indexOf(c) >= 0)) {
        return false;
      }
    }
    return true;
  }

  private static Optional<String> unquote(String inner) {
    StringBuilder out = new StringBuilder(inner.length());
    for (int i = 0; i < inner.length(); i++) {
      char c = inner.charAt(i);
      if (c == '\\') {
        if (++i == inner.length()) {
          return Optional.empty();
        }
        c = inner.charAt(i);
      } else if (c == '"') {
        return Optional.empty();
      }
      // C1 controls as well: in UTF-8 they are no octets below 32, but a terminal obeys them as
      // ESC.
      if (Character.isISOControl(c)) {
        return Optional.empty();
      }
      out.append(c);
    }
    return Optional.of(out.toString());
  }

  private static String quote(String local) {
    StringBuilder out = new StringBuilder(local.length() + 2).append('"');
    for (int i = 0; i < local.length(); i++) {
      char c = local.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\');
      }
      out.append(c);
    }
    return out.append('"').toString();
  }

  private static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0x7f) {
        return false;
      }
    }
    return true;
  }
}
