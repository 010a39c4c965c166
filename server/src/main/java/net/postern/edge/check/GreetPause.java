package net.postern.edge.check;

import java.time.Duration;
import java.util.Optional;
import net.postern.config.Durations;
import net.postern.config.Reaction;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.source.Sources;

/**
 * Lets clients that are new wait for the greeting. A client has to (RFC 5321 §3.1, §4.3.1); one
 * that speaks into the silence follows a script and reads no replies. Whoever waited once is
 * greeted at once for a month.
 */
final class GreetPause implements Check<Connect> {
  /** Tells the filter of a client that spoke before it was greeted. */
  static final String EARLY_TALKER = "EARLY_TALKER";

  static final About ABOUT =
      new About(
          "greet_pause",
          Stage.CONNECT,
          true,
          false,
          "Lets clients that are new wait for the greeting and refuses those that cannot.",
          "554 5.5.1 You spoke before you were greeted");

  private final Sources sources;
  private final Duration pause;
  private final Reaction reaction;

  GreetPause(Checks.SourceParts parts) {
    this.sources = parts.sources();
    this.pause = parts.greetPause();
    this.reaction = parts.earlyTalkers();
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public CheckResult check(Connect question) {
    var client = question.client().address();
    if (pause.isZero() || !sources.isToWait(client)) {
      return new CheckResult.Pass();
    }
    return switch (question.wire().listen(pause)) {
      case NOTHING -> {
        sources.hasWaited(client);
        yield new CheckResult.Pass();
      }
      case END -> new CheckResult.Pass();
      case SPEECH -> spoke();
    };
  }

  private CheckResult spoke() {
    return switch (reaction) {
      case NOTE ->
          new CheckResult.Note(
              EARLY_TALKER, "spoke within " + Durations.format(pause) + ", before the greeting");
      case REFUSE ->
          new CheckResult.Disconnect(
              new Refusal(
                  Reply.of(554, "5.5.1", "You spoke before you were greeted"),
                  Reason.EARLY_TALKER,
                  "The client did not wait for the greeting.",
                  Optional.empty()));
    };
  }
}
