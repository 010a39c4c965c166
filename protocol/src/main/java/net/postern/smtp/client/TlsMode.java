package net.postern.smtp.client;

/** How much TLS a connection asks for (RFC 3207). */
public enum TlsMode {
  /** Never. */
  OFF,
  /** When offered; the certificate is not checked (RFC 7435). Plain when the handshake fails. */
  OPPORTUNISTIC,
  /** Always, with a certificate that verifies for the server's name; otherwise no mail is sent. */
  VERIFIED
}
