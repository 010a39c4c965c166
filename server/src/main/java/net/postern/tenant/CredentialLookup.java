package net.postern.tenant;

/** What is known of a name that someone logs in with. */
public sealed interface CredentialLookup {

  /** There is such a user, with a password. */
  record Found(Credential credential) implements CredentialLookup {}

  /** No such user, or one that has no password: nobody may log in. */
  record Nobody() implements CredentialLookup {}

  /** It cannot be said now. */
  record Unavailable(String why) implements CredentialLookup {}
}
