package net.postern.intake;

import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import net.postern.id.MessageId;

/**
 * The trace field that a server puts before a message it takes (RFC 5321 §4.4). A client chooses
 * its HELO name: whatever could end the line or open a comment is replaced.
 */
final class ReceivedField {
  // RFC 5322 §3.3
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.US).withZone(ZoneOffset.UTC);

  /** RFC 5321 §4.5.3.1.2; it also keeps the line within RFC 5322 §2.1.1. */
  private static final int MAX_NAME = 255;

  private ReceivedField() {}

  /** The whole field, folded, CRLF ended. */
  static String of(Envelope envelope, String hostname, MessageId id) {
    StringBuilder out = new StringBuilder(320);
    out.append("Received: from ");
    if (envelope.hideClient()) {
      // RFC 5321 §7.6: where a user sits is nobody's business who gets the mail.
      out.append("[127.0.0.1]");
    } else {
      client(envelope, out);
    }
    if (!envelope.tls().isEmpty()) {
      out.append("\r\n\t(using ").append(safe(envelope.tls())).append(')');
    }
    out.append("\r\n\tby ").append(hostname).append(" with ").append(envelope.protocol());
    out.append(" id ").append(id);
    if (envelope.recipients().size() == 1) {
      // Only then: more would tell each recipient of the others (RFC 5321 §7.6).
      out.append("\r\n\tfor <").append(envelope.recipients().getFirst().address()).append('>');
    }
    DATE.formatTo(envelope.receivedAt(), out.append("; "));
    return out.append("\r\n").toString();
  }

  private static void client(Envelope envelope, StringBuilder out) {
    String address = envelope.client().getHostAddress();
    int scope = address.indexOf('%');
    if (scope >= 0) {
      address = address.substring(0, scope);
    }
    out.append(safe(envelope.helo())).append(" (");
    if (!envelope.clientName().isEmpty()) {
      out.append(safe(envelope.clientName())).append(' ');
    }
    // RFC 5321 §4.1.3: an IPv6 literal carries its tag.
    out.append('[').append(address.indexOf(':') >= 0 ? "IPv6:" : "").append(address).append("])");
  }

  // Names and address literals (RFC 5321 §4.1.2, §4.1.3) and what else clients send in good faith;
  // nothing that means something to a reader of the field.
  private static String safe(String text) {
    int length = Math.min(text.length(), MAX_NAME);
    StringBuilder out = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      boolean plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      out.append(plain || "-._:[]/+=".indexOf(c) >= 0 ? c : '_');
    }
    return out.isEmpty() ? "unknown" : out.toString();
  }
}
