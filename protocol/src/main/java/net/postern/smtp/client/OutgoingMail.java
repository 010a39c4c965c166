package net.postern.smtp.client;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;

/**
 * A message and its envelope, for one transaction.
 *
 * @param reversePath empty for the null reverse-path {@code <>}
 * @param recipients 1 to {@link #MAX_RECIPIENTS}
 * @param content RFC 5322 with CRLF line ends; not changed while it is being sent
 * @param utf8 whether the message was sent to us with SMTPUTF8 (RFC 6531 §3.4)
 */
public record OutgoingMail(
    Optional<EmailAddress> reversePath,
    List<EmailAddress> recipients,
    byte[] content,
    boolean utf8) {

  /** RFC 5321 §4.5.3.1.8: what every server has to take in one transaction. */
  public static final int MAX_RECIPIENTS = 100;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final long HIGH_BITS = 0x8080_8080_8080_8080L;

  public OutgoingMail {
    recipients = List.copyOf(recipients);
    if (recipients.isEmpty() || recipients.size() > MAX_RECIPIENTS) {
      throw new IllegalArgumentException("recipients: " + recipients.size());
    }
  }

  /** Whether the content has bytes over 127, for BODY=8BITMIME (RFC 6152 §3). */
  boolean isEightBit() {
    return hasHighBit(content, content.length);
  }

  /**
   * Whether the message can only go to a server with SMTPUTF8: an address or the header has UTF-8
   * (RFC 6531 §3.2). A client that said SMTPUTF8 for a plain message does it no harm.
   */
  boolean needsUtf8() {
    if (reversePath.isPresent() && reversePath.get().needsUtf8()) {
      return true;
    }
    for (EmailAddress recipient : recipients) {
      if (recipient.needsUtf8()) {
        return true;
      }
    }
    return utf8 && hasHighBit(content, headerEnd());
  }

  private int headerEnd() {
    for (int i = 3; i < content.length; i++) {
      if (content[i] == '\n' && content[i - 1] == '\r' && content[i - 2] == '\n') {
        return i;
      }
    }
    return content.length;
  }

  private static boolean hasHighBit(byte[] bytes, int end) {
    int i = 0;
    for (; i + 8 <= end; i += 8) {
      if (((long) LONGS.get(bytes, i) & HIGH_BITS) != 0) {
        return true;
      }
    }
    for (; i < end; i++) {
      if (bytes[i] < 0) {
        return true;
      }
    }
    return false;
  }
}
