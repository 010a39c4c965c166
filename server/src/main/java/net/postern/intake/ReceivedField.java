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

  private ReceivedField() {}

  /** The whole field, folded, CRLF ended. */
  static String of(Envelope envelope, String hostname, MessageId id) {
    StringBuilder out = new StringBuilder(320);
    String address = envelope.client().getHostAddress();
    out.append("Received: from ").append(safe(envelope.helo())).append(" (");
    if (!envelope.clientName().isEmpty()) {
      out.append(safe(envelope.clientName())).append(' ');
    }
    // RFC 5321 §4.1.3: an IPv6 literal carries its tag.
    out.append('[').append(address.indexOf(':') >= 0 ? "IPv6:" : "").append(address).append("])");
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

  private static String safe(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      out.append(c <= 0x20 || c >= 0x7f || c == '(' || c == ')' || c == ';' ? '_' : c);
    }
    return out.isEmpty() ? "unknown" : out.toString();
  }
}
