package net.postern.submission;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.config.SubmissionConfig.Author;
import net.postern.mime.Headers;
import net.postern.mime.Mailbox;
import net.postern.tenant.Directory;
import net.postern.tenant.Submitter;
import net.postern.tenant.Submitter.Owns;

/** What the header of a message that is sent has to say, and what is added when it is lacking. */
public final class Authorship {
  // RFC 5322 §3.3
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.US).withZone(ZoneOffset.UTC);

  /** Authors of one message that are looked at; nobody writes with more. */
  private static final int MAX_AUTHORS = 20;

  private Authorship() {}

  /**
   * Whether the From field names whom the sender may name: every address in it, in the only such
   * field. A second field, or none, is what a reader could be misled by.
   */
  public static Owns owns(Headers headers, Submitter sender, Author asked, Directory directory) {
    if (asked == Author.ANY) {
      return Owns.YES;
    }
    List<Mailbox> from = headers.mailboxes("From");
    if (headers.count("From") != 1 || from.isEmpty() || from.size() > MAX_AUTHORS) {
      return Owns.NO;
    }
    Owns all = Owns.YES;
    for (Mailbox each : from) {
      Owns one =
          each.address().map(address -> owns(sender, asked, directory, address)).orElse(Owns.NO);
      if (one == Owns.NO) {
        return Owns.NO;
      }
      all = one == Owns.UNKNOWN ? one : all;
    }
    return all;
  }

  private static Owns owns(
      Submitter sender, Author asked, Directory directory, EmailAddress address) {
    return asked == Author.DOMAIN
        ? sender.ownsDomain(directory, address)
        : sender.owns(directory, address);
  }

  /**
   * Adds what a message lacks that a program left to the server to write (RFC 6409 §8.2, §8.3):
   * Date and Message-ID. A message that has both is given back as it is.
   */
  public static byte[] complete(byte[] content, Headers headers, String hostname, Instant now) {
    StringBuilder added = new StringBuilder();
    if (headers.count("Date") == 0) {
      DATE.formatTo(now, added.append("Date: "));
      added.append("\r\n");
    }
    if (headers.count("Message-ID") == 0) {
      added
          .append("Message-ID: <")
          .append(UUID.randomUUID())
          .append('@')
          .append(hostname)
          .append(">\r\n");
    }
    if (added.isEmpty()) {
      return content;
    }
    // Before what is there: a content that begins with a blank line, or with text, has no header.
    boolean folds = content.length > 0 && (content[0] == ' ' || content[0] == '\t');
    byte[] first = (added + (folds ? "\r\n" : "")).getBytes(StandardCharsets.US_ASCII);
    byte[] whole = new byte[first.length + content.length];
    System.arraycopy(first, 0, whole, 0, first.length);
    System.arraycopy(content, 0, whole, first.length, content.length);
    return whole;
  }
}
