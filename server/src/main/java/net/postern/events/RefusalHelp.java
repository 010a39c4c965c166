package net.postern.events;

import net.postern.events.MailEvent.Reason;

/**
 * What a sender who was refused is told beyond the reply: what it means and what can be done.
 * Public: says nothing of a customer or a user, or of how we are built.
 *
 * @param meaning one or two sentences
 * @param advice what to do next
 */
public record RefusalHelp(String meaning, String advice) {

  private static final String AGAIN =
      "Nothing has to be done: mail servers try again by themselves. If it goes on for hours, tell the"
          + " recipient by other means, with this reference.";
  private static final String SOFTWARE =
      "This is for whoever looks after the sending program: it has to follow RFC 5321.";

  /** What is said of a reason. */
  public static RefusalHelp of(Reason reason) {
    return switch (reason) {
      case UNKNOWN_USER ->
          new RefusalHelp(
              "There is no such address at the recipient's organisation.",
              "Check how the address is written. If it is right, ask the recipient by other means:"
                  + " only the recipient's organisation can create it.");
      case RELAY_DENIED ->
          new RefusalHelp(
              "This server takes mail for the domains that it serves, and the recipient's is none of"
                  + " them.",
              "If the address is right, the domain's mail exchangers (MX in the DNS) point here by"
                  + " mistake. If you meant to send mail through this server, set your mail program"
                  + " to log in.");
      case TOO_BIG ->
          new RefusalHelp(
              "The message with its attachments is larger than is taken here.",
              "Send less at a time, or a link to the files. An attachment grows by a third in mail.");
      case TOO_MANY_RECIPIENTS ->
          new RefusalHelp(
              "The message had too many recipients at one time.",
              "A mail server sends it to the others by itself. From a mail program: send it in parts.");
      case TOO_MANY_ERRORS ->
          new RefusalHelp(
              "The sending server made too many mistakes, or asked for too many addresses that do"
                  + " not exist.",
              "Look for what was refused before this, and remove addresses that no longer exist.");
      case TOO_MANY_CONNECTIONS ->
          new RefusalHelp(
              "The sending server, or its network, had too many connections open at one time.",
              AGAIN);
      case LINE_TOO_LONG, BARE_LINE_END, SYNTAX, SEQUENCE ->
          new RefusalHelp("The sending program said something that is no SMTP.", SOFTWARE);
      case SOURCE_BLOCKED, HARVESTING ->
          new RefusalHelp(
              "The sending server, or its network, asked for many addresses that do not exist, as those"
                  + " do who collect addresses. Mail from it is refused for a time; the reply says until"
                  + " when.",
              "Remove addresses that no longer exist from your lists, and see that nobody sends mail"
                  + " through your server without your knowledge. The block ends by itself.");
      case RATE_LIMIT ->
          new RefusalHelp(
              "The sending server did more in a minute than one that is not known well may do.",
              AGAIN);
      case EARLY_TALKER, PIPELINING ->
          new RefusalHelp(
              "The sending program did not wait for an answer that it has to wait for.", SOFTWARE);
      case FOREIGN_PROTOCOL ->
          new RefusalHelp("What was said is no SMTP, but another protocol.", SOFTWARE);
      case BLOCKED_SENDER ->
          new RefusalHelp(
              "The recipient, or the recipient's organisation, does not want mail from this sender.",
              "Only they can change that: ask them by other means.");
      case BLOCK_LIST ->
          new RefusalHelp(
              "The sending server, or a domain of the sender, is on public block lists; the reply"
                  + " names the list.",
              "Look up the address at the list that the reply names: it says why, and how to be taken"
                  + " off. If the server is your provider's, tell your provider.");
      case GREYLISTED ->
          new RefusalHelp(
              "The recipient wants mail from new senders to be sent twice; what comes later passes at"
                  + " once.",
              "Nothing has to be done: mail servers try again by themselves within minutes.");
      case SPF_FAIL ->
          new RefusalHelp(
              "The sender's domain says by SPF that this server does not send its mail.",
              "Send through the servers of your domain, or have this server added to its SPF record.");
      case SENDER_DOMAIN ->
          new RefusalHelp(
              "The sender's domain does not exist, or takes no mail: nobody could answer.",
              "Check the sender address, and that its domain has MX or address records in the DNS.");
      case SENDER_UNKNOWN ->
          new RefusalHelp(
              "The DNS did not say in time whether the sender's domain exists.",
              "Nothing has to be done: mail servers try again by themselves within minutes. If it"
                  + " lasts, the name servers of the sender's domain need to be looked at.");
      case HELO ->
          new RefusalHelp(
              "The sending server calls itself by a name that is not its own.",
              "This is for whoever looks after the sending server: EHLO takes its own host name.");
      case TIMEOUT ->
          new RefusalHelp("The sending server was silent, or too slow, for too long.", AGAIN);
      case CONTENT ->
          new RefusalHelp(
              "The message itself was refused: it looks like unwanted mail, or breaks a rule of the"
                  + " recipient's organisation.",
              "Write a plain message without attachments and links and ask the recipient to allow your"
                  + " address. If you send for an organisation, see that SPF, DKIM and DMARC are set"
                  + " up for your domain.");
      case STORES_UNAVAILABLE, DATABASE_UNAVAILABLE, INTERNAL ->
          new RefusalHelp(
              "Something here did not work at that moment; the message was not lost, it is still with"
                  + " the sending server.",
              AGAIN);
      case OVERLOADED -> new RefusalHelp("There was more mail than could be taken.", AGAIN);
      case SHUTTING_DOWN -> new RefusalHelp("This server was being restarted.", AGAIN);
      case PROXY ->
          new RefusalHelp(
              "The connection came from a proxy of ours, or as one, and did not begin as a proxy has to.",
              "This is for whoever looks after the proxy: it has to send a PROXY header, or may not use"
                  + " XCLIENT.");
      case AUTH_REQUIRED ->
          new RefusalHelp(
              "Who sends mail here has to log in first, over TLS.",
              "Set your mail program to log in, with SSL/TLS or STARTTLS.");
      case LOGIN_FAILED ->
          new RefusalHelp(
              "The user name or the password was not right.",
              "Write the whole mail address as the user name, and the password anew. If it is"
                  + " forgotten, ask your administrator for another one.");
      case LOGIN_LOCKED ->
          new RefusalHelp(
              "There were too many wrong passwords for this account, or from this network; until the"
                  + " wait is over none is looked at, not even the right one.",
              "Wait, and look for a program or device that still has an old password.");
      case SENDER_DENIED ->
          new RefusalHelp(
              "The sender address, in the envelope or in the From field, is not one that may be used"
                  + " with this login or by this server.",
              "Send from an address of your own. If it is yours, ask your administrator to add it.");
      case SEND_LIMIT ->
          new RefusalHelp(
              "As much was sent as is allowed in this time.",
              "Mail programs and servers go on by themselves later. If you need to send more, ask your"
                  + " administrator; if you did not send so much, change your password.");
    };
  }
}
