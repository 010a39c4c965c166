package net.postern.edge;

/** What a listening address is for: which commands are offered, and whose mail is taken. */
enum Service {
  /** Mail from other servers, for our customers (RFC 5321). */
  MX,
  /** Mail from users who log in (RFC 6409); TLS by STARTTLS. */
  SUBMISSION,
  /** The same with TLS from the first byte (RFC 8314 §3.3). */
  SUBMISSIONS;

  boolean submission() {
    return this != MX;
  }
}
