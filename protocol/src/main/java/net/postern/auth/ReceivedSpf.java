package net.postern.auth;

import java.util.Optional;

/**
 * Writes the outcome of a check for those who read the message: the field {@code Received-SPF} (RFC
 * 7208 §9.1), and what {@code Authentication-Results} has for it (RFC 8601 §2.7.2). Clients and
 * strange domains choose most of what is in them: nothing of it can end a line, a comment or a
 * quoted text.
 */
public final class ReceivedSpf {
  /** Longer values are cut; it keeps lines within RFC 5322 §2.1.1. */
  private static final int MAX_VALUE = 320;

  private ReceivedSpf() {}

  /** The whole field, folded, CRLF ended. */
  public static String field(SpfQuestion question, SpfResult result) {
    StringBuilder out = new StringBuilder(400);
    out.append("Received-SPF: ").append(result.code());
    out.append("\r\n\t(").append(comment(question, result)).append(")");
    out.append("\r\n\treceiver=").append(value(question.receiver())).append(';');
    out.append("\r\n\tidentity=");
    out.append(question.identity() == SpfQuestion.Identity.HELO ? "helo" : "mailfrom").append(';');
    out.append("\r\n\tclient-ip=").append(value(address(question))).append(';');
    if (question.identity() == SpfQuestion.Identity.MAIL_FROM) {
      out.append("\r\n\tenvelope-from=").append(quoted(question.sender())).append(';');
    }
    out.append("\r\n\thelo=").append(value(question.helo()));
    Optional<String> mechanism = result.mechanism();
    if (mechanism.isPresent()) {
      out.append(";\r\n\tmechanism=").append(value(mechanism.get()));
    }
    if (!result.problem().isEmpty()) {
      out.append(";\r\n\tproblem=").append(quoted(result.problem()));
    }
    return out.append("\r\n").toString();
  }

  /**
   * One {@code resinfo} without the separator before it, such as {@code spf=pass
   * smtp.mailfrom=example.com}.
   */
  public static String authenticationResult(SpfQuestion question, SpfResult result) {
    boolean helo = question.identity() == SpfQuestion.Identity.HELO;
    return "spf="
        + result.code()
        + " ("
        + comment(question, result)
        + ") "
        + (helo ? "smtp.helo=" : "smtp.mailfrom=")
        + value(question.domain());
  }

  private static String comment(SpfQuestion question, SpfResult result) {
    String address = address(question);
    String domain = plain(question.domain());
    String receiver = plain(question.receiver());
    String text =
        switch (result.code()) {
          case PASS -> "domain of " + domain + " designates " + address + " as permitted sender";
          case FAIL ->
              "domain of " + domain + " does not designate " + address + " as permitted sender";
          case SOFTFAIL ->
              "domain of " + domain + " does probably not designate " + address + " as sender";
          case NEUTRAL -> address + " is neither permitted nor denied by domain of " + domain;
          case NONE -> "domain of " + domain + " does not designate permitted senders";
          case TEMPERROR -> "the policy of domain " + domain + " could not be found out";
          case PERMERROR -> "the policy of domain " + domain + " is broken";
        };
    return receiver.isEmpty() ? text : receiver + ": " + text;
  }

  private static String address(SpfQuestion question) {
    return SpfAddresses.readable(question.client().getAddress());
  }

  // Inside a comment, where brackets and backslashes have a meaning.
  private static String plain(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < Math.min(text.length(), MAX_VALUE); i++) {
      char c = text.charAt(i);
      out.append(c > ' ' && c < 0x7f && "()\\".indexOf(c) < 0 ? c : '?');
    }
    return out.toString();
  }

  /** A dot-atom as it is, everything else quoted. */
  private static String value(String text) {
    boolean atom =
        !text.isEmpty()
            && text.length() <= MAX_VALUE
            && !text.startsWith(".")
            && !text.endsWith(".")
            && !text.contains("..")
            && text.chars().allMatch(ReceivedSpf::isAtomText);
    return atom ? text : quoted(text);
  }

  // RFC 5322 §3.2.3, without what MIME's tokens do not have.
  private static boolean isAtomText(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || (c > 0 && ".-_+!#$%&'*^`{|}~".indexOf(c) >= 0);
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < Math.min(text.length(), MAX_VALUE); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else {
        out.append(c >= ' ' && c < 0x7f ? c : '?');
      }
    }
    return out.append('"').toString();
  }
}
