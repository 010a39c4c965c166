package net.postern.smtp;

/** What came of reading something that a client sent: its value, or the reply that says why not. */
public sealed interface Parsed<T> {
  record Ok<T>(T value) implements Parsed<T> {}

  /**
   * @param reply 5xx
   */
  record Bad<T>(Reply reply) implements Parsed<T> {}

  static <T> Parsed<T> bad(int code, String enhanced, String text) {
    return new Bad<>(Reply.of(code, enhanced, text));
  }
}
