package net.postern.delivery;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.delivery.DeliveryResult.Diagnosis;
import net.postern.id.MessageId;

/**
 * A delivery status notification (RFC 3464): a multipart/report (RFC 6522) of a text for people,
 * the same for programs, and the header of the message.
 *
 * @param id of the report itself
 * @param hostname of this node
 * @param to the reverse-path of the message
 * @param failures recipients that failed together; at least one
 * @param original the message; its header is quoted
 */
record Report(
    MessageId id,
    String hostname,
    EmailAddress to,
    Instant arrived,
    Instant now,
    List<Failure> failures,
    byte[] original) {

  /** Most bytes of the original header that are quoted. */
  private static final int MAX_HEADER = 64 * 1024;

  /** Most characters of a server's words that are quoted. */
  private static final int MAX_TEXT = 1_000;

  /** RFC 5322 §2.1.1. */
  private static final int LINE = 76;

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /**
   * A recipient and why.
   *
   * @param expired whether it was tried until its time was over
   */
  record Failure(EmailAddress recipient, Diagnosis why, boolean expired) {
    String status() {
      // RFC 3463 §3.5: X.4.7, delivery time expired.
      return expired ? "5.4.7" : why.status();
    }
  }

  Report {
    failures = List.copyOf(failures);
  }

  byte[] message() {
    String boundary = "=_" + UUID.randomUUID();
    boolean utf8 = failures.stream().anyMatch(failure -> failure.recipient().needsUtf8());
    byte[] header = originalHeader();
    boolean eightBit = utf8 || hasHighBit(header) || to.needsUtf8();
    StringBuilder out = new StringBuilder(4_096);
    line(out, "Date: " + DATE.format(now));
    line(out, "From: Mail Delivery System <MAILER-DAEMON@" + hostname + ">");
    line(out, "To: <" + to + ">");
    line(out, "Subject: Your message could not be delivered");
    line(out, "Message-ID: <" + id + "@" + hostname + ">");
    // RFC 3834 §5: so that no responder answers it.
    line(out, "Auto-Submitted: auto-replied");
    line(out, "MIME-Version: 1.0");
    line(out, "Content-Type: multipart/report; report-type=delivery-status;");
    line(out, "\tboundary=\"" + boundary + "\"");
    if (eightBit) {
      line(out, "Content-Transfer-Encoding: 8bit");
    }
    line(out, "");
    line(out, "This is a report in MIME format (RFC 3464).");
    part(out, boundary, "text/plain; charset=utf-8", utf8);
    people(out);
    // RFC 6533 §4: the form for addresses in UTF-8.
    part(out, boundary, utf8 ? "message/global-delivery-status" : "message/delivery-status", utf8);
    programs(out);
    part(out, boundary, "text/rfc822-headers", hasHighBit(header));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(out.length() + header.length + 128);
    bytes.writeBytes(out.toString().getBytes(StandardCharsets.UTF_8));
    bytes.writeBytes(header);
    bytes.writeBytes(("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }

  private static void part(StringBuilder out, String boundary, String type, boolean eightBit) {
    line(out, "");
    line(out, "--" + boundary);
    line(out, "Content-Type: " + type);
    if (eightBit) {
      line(out, "Content-Transfer-Encoding: 8bit");
    }
    line(out, "");
  }

  private void people(StringBuilder out) {
    line(out, "This is the mail server " + hostname + ".");
    line(out, "");
    line(out, "Your message of " + DATE.format(arrived) + " could not be delivered to:");
    for (Failure failure : failures) {
      line(out, "");
      line(out, "  " + failure.recipient());
      line(out, "");
      String reason =
          failure.expired()
              ? "It was tried again and again until its time was over. The last answer was:"
              : failure.why().quoted()
                  ? "The mail server of this recipient refused it and said:"
                  : "The reason is:";
      line(out, "    " + reason);
      for (String piece : wrapped(ascii(failure.why().line()))) {
        line(out, "    " + piece);
      }
    }
    line(out, "");
    line(out, "It will not be tried again. Please check the address, or reach the");
    line(out, "recipient in another way. If you ask for help, pass this report on:");
    line(out, "its second part has the details for your postmaster. The header of");
    line(out, "your message is attached.");
  }

  // RFC 3464 §2: fields of the message, an empty line, then fields of each recipient.
  private void programs(StringBuilder out) {
    line(out, "Reporting-MTA: dns; " + hostname);
    line(out, "Arrival-Date: " + DATE.format(arrived));
    for (Failure failure : failures) {
      EmailAddress recipient = failure.recipient();
      line(out, "");
      line(
          out,
          "Final-Recipient: " + (recipient.needsUtf8() ? "utf-8" : "rfc822") + "; " + recipient);
      line(out, "Action: failed");
      line(out, "Status: " + failure.status());
      failure.why().server().ifPresent(server -> line(out, "Remote-MTA: dns; " + ascii(server)));
      // RFC 3464 §2.3.6: smtp for a reply of an SMTP server; what we say ourselves is ours.
      String kind = failure.why().quoted() ? "smtp" : "x-postern";
      String folded = String.join("\r\n ", wrapped(kind + "; " + ascii(failure.why().text())));
      line(out, "Diagnostic-Code: " + folded);
      line(out, "Last-Attempt-Date: " + DATE.format(now));
    }
  }

  private byte[] originalHeader() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int at = 0;
    while (at < original.length && out.size() < MAX_HEADER) {
      int end = at;
      while (end < original.length && original[end] != '\n') {
        end++;
      }
      int text = end > at && original[end - 1] == '\r' ? end - 1 : end;
      if (text == at) {
        break;
      }
      if (out.size() + text - at + 2 > MAX_HEADER) {
        break;
      }
      out.write(original, at, text - at);
      out.write('\r');
      out.write('\n');
      at = end + 1;
    }
    return out.toByteArray();
  }

  private static void line(StringBuilder out, String text) {
    out.append(text).append("\r\n");
  }

  private static String ascii(String text) {
    String bounded = text.length() > MAX_TEXT ? text.substring(0, MAX_TEXT) : text;
    StringBuilder out = new StringBuilder(bounded.length());
    for (int i = 0; i < bounded.length(); i++) {
      char c = bounded.charAt(i);
      out.append(c >= 0x20 && c < 0x7f ? c : '?');
    }
    return out.toString();
  }

  private static List<String> wrapped(String text) {
    List<String> lines = new java.util.ArrayList<>();
    String rest = text.strip();
    while (rest.length() > LINE - 16) {
      int cut = rest.lastIndexOf(' ', LINE - 16);
      if (cut <= 0) {
        cut = LINE - 16;
      }
      lines.add(rest.substring(0, cut));
      rest = rest.substring(cut).strip();
    }
    if (!rest.isEmpty() || lines.isEmpty()) {
      lines.add(rest);
    }
    return lines;
  }

  private static boolean hasHighBit(byte[] bytes) {
    for (byte b : bytes) {
      if (b < 0) {
        return true;
      }
    }
    return false;
  }
}
