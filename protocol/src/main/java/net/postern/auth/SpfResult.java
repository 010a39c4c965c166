package net.postern.auth;

import java.util.Locale;
import java.util.Optional;

/**
 * What a domain says about a client.
 *
 * @param domain whose policy it was
 * @param explanation text of the domain's owner for the sender, after a fail: printable ASCII, at
 *     most {@value #MAX_EXPLANATION} characters, a stranger's words
 * @param mechanism the one that decided, as it is written in the record; empty when none did
 * @param problem for people: why there is no better result; empty when there is nothing to say
 */
public record SpfResult(
    Code code,
    String domain,
    Optional<String> explanation,
    Optional<String> mechanism,
    String problem) {

  /** Longer explanations are cut. */
  public static final int MAX_EXPLANATION = 400;

  /** RFC 7208 §2.6. */
  public enum Code {
    /** The domain has no policy, or is none. */
    NONE,
    /** The domain says nothing about this client. */
    NEUTRAL,
    /** The client may send. */
    PASS,
    /** The client may not send. */
    FAIL,
    /** The client probably may not send. */
    SOFTFAIL,
    /** It could not be found out for now. */
    TEMPERROR,
    /** The policy is broken. */
    PERMERROR;

    /** As header fields have it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
