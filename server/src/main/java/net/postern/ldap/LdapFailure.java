package net.postern.ldap;

/** A directory could not be read; the message says why, to a person who looks after it. */
public final class LdapFailure extends Exception {
  private static final long serialVersionUID = 1L;

  LdapFailure(String message, Throwable cause) {
    super(message, cause);
  }

  LdapFailure(String message) {
    super(message);
  }
}
