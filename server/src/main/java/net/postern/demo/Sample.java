package net.postern.demo;

import java.util.List;
import java.util.OptionalLong;
import net.postern.address.EmailAddress;

/**
 * A message to send, and what has to become of it.
 *
 * @param from reverse-path, another one for each sample
 * @param content what is sent, with CRLF line ends
 * @param hostile for mail that no proper client sends: the SIZE to announce (RFC 1870); the content
 *     then goes over the wire exactly as it is, end mark included. Empty for mail that is sent
 *     properly
 */
record Sample(
    String name,
    EmailAddress from,
    List<EmailAddress> to,
    byte[] content,
    OptionalLong hostile,
    Expected expected) {

  /** Where a message may end. */
  enum Ended {
    /** Delivered byte for byte. */
    DELIVERED("delivered"),
    /** Delivered with the marks of spam. */
    FLAGGED("delivered, flagged"),
    HELD("held in quarantine"),
    REFUSED("refused");

    private final String words;

    Ended(String words) {
      this.words = words;
    }

    /** For people. */
    String words() {
      return words;
    }
  }

  /**
   * What has to happen.
   *
   * @param reply how the reply has to begin: code and enhanced status
   * @param because findings that have to be named, in the verdict or in the refusal; empty for mail
   *     that nothing may be found against, or that is refused before it is looked at
   */
  record Expected(String reply, Ended ended, List<String> because) {
    Expected {
      because = List.copyOf(because);
    }
  }

  Sample {
    to = List.copyOf(to);
  }
}
