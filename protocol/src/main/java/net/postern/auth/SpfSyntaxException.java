package net.postern.auth;

/** A record is not by the grammar; the message says where. Has no stack: it is no surprise. */
final class SpfSyntaxException extends Exception {
  private static final long serialVersionUID = 1;

  SpfSyntaxException(String message) {
    super(message, null, false, false);
  }
}
