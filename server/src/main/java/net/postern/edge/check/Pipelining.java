package net.postern.edge.check;

import java.util.Optional;
import net.postern.config.Reaction;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/**
 * Finds clients that send on before they could know that they may. RFC 2920 §3.1: EHLO is the last
 * command of a group, and without PIPELINING in its reply every command is.
 */
public final class Pipelining implements Check<Helo> {
  /** The check's name. */
  public static final String NAME = "pipelining";

  /** Tells the filter of a client that did not wait for a reply that it has to wait for. */
  public static final String UNAUTH_PIPELINING = "UNAUTH_PIPELINING";

  /** What a client reads that is refused for it. */
  public static final Refusal REFUSAL =
      new Refusal(
          Reply.of(503, "5.5.0", "Wait for the reply before you send on"),
          Reason.PIPELINING,
          "The client sent on without waiting for the reply.",
          Optional.empty());

  static final About ABOUT =
      new About(
          NAME,
          Stage.HELO,
          true,
          false,
          "Notes, or refuses, clients that send on before the reply to EHLO or HELO.",
          "503 5.5.0 Wait for the reply before you send on");

  private final Reaction reaction;

  Pipelining(Checks.SourceParts parts) {
    this.reaction = parts.pipeliningAbuse();
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public CheckResult check(Helo question) {
    if (!question.ahead()) {
      return new CheckResult.Pass();
    }
    return switch (reaction) {
      case NOTE -> new CheckResult.Note(UNAUTH_PIPELINING, "sent on before the reply to EHLO");
      case REFUSE -> new CheckResult.Disconnect(REFUSAL);
    };
  }
}
