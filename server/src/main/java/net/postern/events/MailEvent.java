package net.postern.events;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;

/** One thing that happened to mail, or to what mail depends on. */
public sealed interface MailEvent {

  /**
   * Something that a remote peer sees of us, and we of it.
   *
   * @param address textual IP address
   * @param helo what the client called itself, empty before HELO
   * @param tls protocol and cipher, empty on a plain connection
   */
  record Peer(String address, String helo, String tls) {}

  /** At which point of the dialogue a refusal happened. */
  enum Stage {
    CONNECT,
    HELO,
    STARTTLS,
    AUTH,
    MAIL,
    RCPT,
    DATA,
    COMMAND
  }

  /** Why a client was refused, for counting; the text says it to people. */
  enum Reason {
    UNKNOWN_USER,
    RELAY_DENIED,
    TOO_BIG,
    TOO_MANY_RECIPIENTS,
    TOO_MANY_ERRORS,
    TOO_MANY_CONNECTIONS,
    LINE_TOO_LONG,
    BARE_LINE_END,
    SYNTAX,
    SEQUENCE,
    TIMEOUT,
    CONTENT,
    SOURCE_BLOCKED,
    HARVESTING,
    RATE_LIMIT,
    EARLY_TALKER,
    PIPELINING,
    FOREIGN_PROTOCOL,
    BLOCKED_SENDER,
    BLOCK_LIST,
    GREYLISTED,
    SPF_FAIL,
    SENDER_DOMAIN,
    HELO,
    STORES_UNAVAILABLE,
    DATABASE_UNAVAILABLE,
    OVERLOADED,
    SHUTTING_DOWN,
    INTERNAL,
    /** A connection from a proxy's network did not begin with a PROXY header. */
    PROXY,
    /** Who wants to send here has to log in first, or needs TLS before that. */
    AUTH_REQUIRED,
    /** The sender is not the account's, or not the server's customer's. */
    SENDER_DENIED,
    /** More than an account or customer may send. */
    SEND_LIMIT,
    /** The user name or the password was wrong. */
    LOGIN_FAILED,
    /** Too many passwords were wrong before. */
    LOGIN_LOCKED,
    /** The DNS could not say whether the reverse-path's domain exists. */
    SENDER_UNKNOWN
  }

  /**
   * A message got its {@code 250}: one for each customer among its recipients.
   *
   * @param recipients the customer's, all of them
   * @param verdict the gravest for any of them, as are score and findings
   * @param unwaived what the verdict would be had none of them waived anything: what the mail says
   *     of who sent it
   */
  record Accepted(
      MessageId message,
      CustomerId customer,
      Peer peer,
      String reversePath,
      List<String> recipients,
      long bytes,
      String verdict,
      String unwaived,
      double score,
      List<String> findings,
      int copies,
      Duration took)
      implements MailEvent {}

  /**
   * A client was told no, for now ({@code code} 4xx) or for good (5xx).
   *
   * @param text why, for our own people
   * @param reference what stands in the reply
   */
  record Refused(
      Stage stage,
      Reason reason,
      int code,
      String enhanced,
      String text,
      Peer peer,
      String reversePath,
      String recipient,
      Optional<CustomerId> customer,
      Reference reference)
      implements MailEvent {}

  /**
   * Someone logged in.
   *
   * @param account the address that was logged in with
   */
  record LoggedIn(Peer peer, CustomerId customer, String account, String mechanism)
      implements MailEvent {}

  /**
   * A login that failed.
   *
   * @param account as the client named it, which may be anything
   * @param why for people
   * @param reference what stands in the reply
   */
  record AuthFailed(Peer peer, String account, String mechanism, String why, Reference reference)
      implements MailEvent {}

  /**
   * A login that was not tried, since too many failed before.
   *
   * @param scope what is locked: account, source, or both together
   * @param left until it may be tried again
   * @param reference what stands in the reply
   */
  record LoginLocked(Peer peer, String account, String scope, Duration left, Reference reference)
      implements MailEvent {}

  /**
   * Members of a group do not get its mail, since their lists have the sender; the others do.
   *
   * @param customer whose members they are
   * @param group its address
   * @param members some of them, at most {@link #MAX_NAMED}
   * @param count how many they are
   * @param why of each of them that are named, in their order
   */
  record LeftOut(
      CustomerId customer,
      Peer peer,
      String reversePath,
      String group,
      List<String> members,
      int count,
      List<String> why)
      implements MailEvent {
    /** Members that are named. */
    public static final int MAX_NAMED = 50;

    public LeftOut {
      members = List.copyOf(members);
      why = List.copyOf(why);
    }
  }

  /** A message is in quarantine for this recipient. */
  record Held(MessageId message, CustomerId customer, String recipient, double score, String why)
      implements MailEvent {}

  /**
   * A client address or network came on the internal block list.
   *
   * @param source in CIDR notation, an IPv4 address alone
   * @param kind a name of the code, such as {@code HARVEST}
   * @param offence which time it is, 1 for the first
   */
  record SourceBlocked(String source, String kind, String why, int offence, Instant until)
      implements MailEvent {}

  /** It is off the list again. Every node says so that knew of the block. */
  record SourceReleased(String source, String why) implements MailEvent {}

  /** Someone let a message out of quarantine. */
  record Released(MessageId message, CustomerId customer, String recipient, String by)
      implements MailEvent {}

  /** A delivery ended by a rule or by a person: the rule's name says which. */
  record Removed(MessageId message, CustomerId customer, String recipient, String rule)
      implements MailEvent {}

  /** The next hop, or the mailbox, has it. */
  record Delivered(
      MessageId message,
      CustomerId customer,
      String recipient,
      String route,
      String reply,
      int attempt,
      Duration delay)
      implements MailEvent {}

  /** An attempt failed for now. */
  record Deferred(
      MessageId message,
      CustomerId customer,
      String recipient,
      String route,
      String reply,
      int attempt,
      Instant nextAttempt)
      implements MailEvent {}

  /** A delivery failed for good; {@code dsn} names the report that was sent, when one was. */
  record Returned(
      MessageId message,
      CustomerId customer,
      String recipient,
      String route,
      String reply,
      int attempt,
      Optional<MessageId> dsn)
      implements MailEvent {}

  /** What there is to say of a customer's directory. */
  enum DirectoryMatter {
    /** A group has members that do not exist, or too many. */
    GROUP,
    /** A customer's server takes every address, so that its yes says nothing. */
    ACCEPTS_ALL,
    /** A customer's server cannot say which addresses exist. */
    CALLOUT,
    /** A customer's LDAP directory was not applied. */
    LDAP
  }

  /**
   * Something about a customer's directory began or ended.
   *
   * @param subject the group, domain or directory
   * @param well whether it is now as it should be
   * @param detail for people; may name addresses
   */
  record DirectoryNotice(
      DirectoryMatter matter, CustomerId customer, String subject, boolean well, String detail)
      implements MailEvent {}

  /** A store stopped ({@code up} false) or resumed taking writes. */
  record StoreHealth(String store, boolean up, String why) implements MailEvent {}

  /**
   * Something in a store was not as it should be.
   *
   * @param object the object, or the path of what is none
   * @param damage a name of the code, such as {@code TRUNCATED}
   * @param repaired whether it is now as it should be
   * @param detail for people
   */
  record StoreDamage(String store, String object, String damage, boolean repaired, String detail)
      implements MailEvent {}

  /**
   * A check of everything in the stores has come to its end.
   *
   * @param objects copies that were read, in all stores together
   * @param bytes of these
   * @param unrepaired what no copy could heal, or a store did not take
   * @param full whether every store could be read in full
   */
  record Scrubbed(
      long objects,
      long bytes,
      int found,
      int repaired,
      int unrepaired,
      boolean full,
      Duration took)
      implements MailEvent {}

  /**
   * A list that is asked through the DNS began ({@code up}) or ceased to be used.
   *
   * @param zone the list's name in our configuration
   */
  record ListHealth(String zone, boolean up, String why) implements MailEvent {}
}
