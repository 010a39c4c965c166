package net.postern.edge;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import net.postern.edge.check.Refusal;
import net.postern.events.MailEvent.Reason;
import net.postern.mime.Headers;
import net.postern.mime.Message;
import net.postern.smtp.Reply;
import net.postern.submission.Authorship;
import net.postern.submission.Outbound;
import net.postern.submission.SendLimits;
import net.postern.tenant.Submitter;

/** What is asked of a whole message that goes to others, before intake gets it. */
final class Outgoing {
  private static final Reply NOT_YOURS =
      Reply.of(550, "5.7.1", "The From field has to name one address of your own, and only that");
  private static final Reply NOT_NOW =
      Reply.of(451, "4.3.0", "The author cannot be checked now, please try again");

  private static final Reply UNCOUNTED =
      Reply.of(451, "4.3.0", "How much you sent is not known now, please try again");

  private Outgoing() {}

  /** Whether it may go, and with which content. */
  sealed interface Result {
    record Go(byte[] content) implements Result {}

    record No(Refusal refusal) implements Result {}
  }

  /**
   * Checks the author, counts the message, and adds what a user's program left out. What was
   * counted is to be given back by {@link #takeBack} when the message is not taken in the end.
   *
   * @param recipients those that count
   */
  static Result prepare(SmtpSession session, Submitter sender, int recipients, byte[] content) {
    EdgeContext context = session.context();
    Outbound outbound = context.outbound().orElseThrow();
    Headers headers = Message.parse(content).headers();
    switch (Authorship.owns(headers, sender, outbound.config().author(), outbound.directory())) {
      case YES -> {}
      case NO -> {
        return new Result.No(
            refusal(
                NOT_YOURS,
                Reason.SENDER_DENIED,
                "The From field is not " + sender.name() + "'s.",
                sender));
      }
      case UNKNOWN -> {
        return new Result.No(
            refusal(NOT_NOW, Reason.DATABASE_UNAVAILABLE, "The directory cannot answer.", sender));
      }
    }
    Optional<SendLimits.Hindrance> hindrance = outbound.limits().charge(sender, recipients);
    if (hindrance.isPresent()) {
      return new Result.No(limit(hindrance.get(), sender, context.clock().instant()));
    }
    return new Result.Go(
        session.service().submission()
            ? Authorship.complete(content, headers, context.hostname(), context.clock().instant())
            : content);
  }

  static void takeBack(SmtpSession session, Submitter sender, int recipients) {
    session.context().outbound().orElseThrow().limits().refund(sender, recipients);
  }

  /** The refusal for who has sent enough, 450 with when to go on; 451 when that is not known. */
  static Refusal limit(SendLimits.Hindrance hindrance, Submitter sender, Instant now) {
    return switch (hindrance) {
      case SendLimits.Reached reached -> limit(reached, sender, now);
      case SendLimits.Unknown(String why) ->
          refusal(
              UNCOUNTED,
              Reason.DATABASE_UNAVAILABLE,
              "It cannot be said how much " + sender.name() + " may send: " + why + ".",
              sender);
    };
  }

  private static Refusal limit(SendLimits.Reached reached, Submitter sender, Instant now) {
    long minutes = Math.max(1, Duration.between(now, reached.again()).toMinutes() + 1);
    return refusal(
        Reply.of(
            450,
            "4.7.1",
            "Your %s has sent as many %s as it may; please go on in %d minutes"
                .formatted(reached.whose(), reached.what(), minutes)),
        Reason.SEND_LIMIT,
        "The limit of %s of the %s of %s is reached."
            .formatted(reached.what(), reached.whose(), sender.name()),
        sender);
  }

  private static Refusal refusal(Reply reply, Reason reason, String cause, Submitter sender) {
    return new Refusal(reply, reason, cause, Optional.of(sender.customer()));
  }
}
