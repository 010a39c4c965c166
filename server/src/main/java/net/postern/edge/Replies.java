package net.postern.edge;

import net.postern.smtp.Reply;

/** Replies that more than one verb gives. None tells how we are built or what has failed inside. */
final class Replies {
  static final Reply OK = Reply.of(250, "2.0.0", "Ok");
  static final Reply NO_HELO = Reply.of(503, "5.5.1", "Send EHLO or HELO first");
  static final Reply NO_MAIL = Reply.of(503, "5.5.1", "Send MAIL first");
  static final Reply NO_RECIPIENT = Reply.of(554, "5.5.1", "No valid recipients");
  static final Reply BDAT_BEGUN =
      Reply.of(503, "5.5.1", "A message that began with BDAT goes on with BDAT");
  static final Reply NO_ARGUMENT = Reply.of(501, "5.5.4", "This command takes no argument");
  static final Reply OUT_OF_MEMORY =
      Reply.of(452, "4.3.1", "Too much mail is being received now, please try again");
  static final Reply TOO_BIG = Reply.of(552, "5.3.4", "The message is larger than is taken here");
  static final Reply INTERNAL =
      Reply.of(451, "4.3.0", "The message was not taken, please try again");
  // RFC 4954 §4: 454 4.7.0 Temporary authentication failure.
  static final Reply NO_LOGIN_NOW =
      Reply.of(454, "4.7.0", "Logging in is not possible now, please try again soon");
  static final Reply LINE_TOO_LONG = Reply.of(500, "5.5.2", "Line too long");
  static final Reply BARE_LINE_END =
      Reply.of(500, "5.5.2", "A line ends with CR and LF; one of them is missing");

  private Replies() {}

  /** RFC 5321 §3.8: the 421 that announces the end of the session. */
  static Reply closing(String enhanced, String hostname, String why) {
    return Reply.of(421, enhanced, hostname + " " + why);
  }
}
