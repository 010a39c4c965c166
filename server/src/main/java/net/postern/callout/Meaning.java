package net.postern.callout;

import java.util.Set;
import net.postern.smtp.Reply;
import net.postern.smtp.client.RecipientOutcome;

/** What a server's reply to RCPT says of the address. */
enum Meaning {
  EXISTS,
  UNKNOWN,
  CANNOT_TELL;

  // RFC 3463 §3.2, §3.3: what is wrong with the recipient, not with the sender (5.1.7, 5.1.8) or
  // its
  // full mailbox (5.2.2). Exchange Online says 5.4.1 for whoever is not in its directory.
  private static final Set<String> NOT_THERE =
      Set.of("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1", "5.4.1");

  // RFC 5321 §4.2.3: no mailbox, not local, name not allowed. 554 is any policy.
  private static final Set<Integer> NOT_THERE_CODES = Set.of(550, 551, 553);

  static Meaning of(RecipientOutcome outcome) {
    return switch (outcome) {
      case RecipientOutcome.Replied(Reply reply, RecipientOutcome.Stage stage) ->
          stage == RecipientOutcome.Stage.RCPT ? of(reply) : CANNOT_TELL;
      case RecipientOutcome.Lost _ -> CANNOT_TELL;
      // The server can never have it: there is no way to name it.
      case RecipientOutcome.Unsendable _ -> UNKNOWN;
    };
  }

  private static Meaning of(Reply reply) {
    if (reply.positive()) {
      return EXISTS;
    }
    if (!NOT_THERE_CODES.contains(reply.code())) {
      return saysWhy(reply)
              && reply.enhanced().startsWith("5.1.")
              && NOT_THERE.contains(reply.enhanced())
          ? UNKNOWN
          : CANNOT_TELL;
    }
    return !saysWhy(reply) || NOT_THERE.contains(reply.enhanced()) ? UNKNOWN : CANNOT_TELL;
  }

  /** Whether the reply has a status that means more than its code; 5.0.0 does not. */
  static boolean saysWhy(Reply reply) {
    return !reply.enhanced().isEmpty() && !reply.enhanced().equals("5.0.0");
  }
}
