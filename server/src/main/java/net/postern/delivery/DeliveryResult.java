package net.postern.delivery;

import java.util.Optional;

/** What an attempt at one delivery came to. */
public sealed interface DeliveryResult {

  /**
   * Why it failed, for people and for the report.
   *
   * @param status RFC 3463
   * @param server host name of the next hop, where one was reached
   * @param text one line without control characters
   * @param quoted whether {@code text} is the server's own reply, code first
   */
  record Diagnosis(String status, Optional<String> server, String text, boolean quoted) {
    static Diagnosis own(String status, String text) {
      return new Diagnosis(status, Optional.empty(), text, false);
    }

    /** The text with the name of the server before it. */
    String line() {
      return server.map(name -> name + ": " + text).orElse(text);
    }
  }

  /** The next hop or the mailbox has it. */
  record Delivered(String reply) implements DeliveryResult {}

  /** Not now: to be tried again. */
  record Transient(Diagnosis why) implements DeliveryResult {}

  /** Never. */
  record Permanent(Diagnosis why) implements DeliveryResult {}
}
