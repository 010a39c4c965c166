package net.postern.dns;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** Names as text: lower case, without the final dot. */
public final class DnsNames {
  /** Octets of a name as it is written, without the final dot (RFC 1035 §2.3.4). */
  public static final int MAX_NAME = 253;

  /** Octets of a label (RFC 1035 §2.3.4). */
  public static final int MAX_LABEL = 63;

  private static final String HEX = "0123456789abcdef";

  private DnsNames() {}

  /**
   * The form that is compared: ASCII letters in lower case, no final dot. Other characters stay as
   * they are, since the DNS knows no other upper case (RFC 4343 §3).
   */
  public static String canonical(String name) {
    int end = name.endsWith(".") ? name.length() - 1 : name.length();
    StringBuilder out = new StringBuilder(end);
    for (int i = 0; i < end; i++) {
      char c = name.charAt(i);
      out.append(c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c);
    }
    return out.toString();
  }

  /**
   * Whether a question for it can be written: no empty label, none longer than {@link #MAX_LABEL},
   * all together no longer than {@link #MAX_NAME}. Any ASCII character is allowed in a label.
   */
  public static boolean fits(String name) {
    int end = name.endsWith(".") ? name.length() - 1 : name.length();
    if (end < 1 || end > MAX_NAME) {
      return false;
    }
    int label = 0;
    for (int i = 0; i < end; i++) {
      char c = name.charAt(i);
      if (c == '.') {
        if (label == 0) {
          return false;
        }
        label = 0;
      } else if (c > 0x7f || ++label > MAX_LABEL) {
        return false;
      }
    }
    return label > 0;
  }

  /** The name below which the names of an address are (RFC 1035 §3.5, RFC 3596 §2.5). */
  public static String reverse(InetAddress address) {
    byte[] bytes = address.getAddress();
    StringBuilder out = new StringBuilder(73);
    for (int i = bytes.length - 1; i >= 0; i--) {
      if (bytes.length == 4) {
        out.append(bytes[i] & 0xff).append('.');
      } else {
        out.append(HEX.charAt(bytes[i] & 0xf)).append('.');
        out.append(HEX.charAt((bytes[i] >> 4) & 0xf)).append('.');
      }
    }
    return out.append(bytes.length == 4 ? "in-addr.arpa" : "ip6.arpa").toString();
  }

  /** For questions; empty for what does not fit the DNS. A backslash is a character like others. */
  static Optional<Name> toName(String text) {
    StringBuilder out = new StringBuilder(text.length() + 1);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      int c = b & 0xff;
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '-'
              || c == '_'
              || c == '.';
      if (plain) {
        out.append((char) c);
      } else {
        out.append('\\').append(c / 100).append(c / 10 % 10).append(c % 10);
      }
    }
    if (!text.endsWith(".")) {
      out.append('.');
    }
    try {
      return Optional.of(Name.fromString(out.toString()));
    } catch (TextParseException e) {
      return Optional.empty();
    }
  }

  /** What an answer has; the root is the empty text. */
  static String plain(Name name) {
    String text = name.toString(true).toLowerCase(Locale.ROOT);
    return text.equals(".") ? "" : text;
  }
}
