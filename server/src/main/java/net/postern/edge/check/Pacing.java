package net.postern.edge.check;

import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.smtp.Reply;
import net.postern.source.Pace;

/** Turns a source's pace into an answer; the limits are in {@code [limits]}. */
final class Pacing {

  private Pacing() {}

  static CheckResult of(Pace pace, int code, String what) {
    return switch (pace) {
      case Pace.Free free -> new CheckResult.Pass();
      case Pace.Slow slow -> new CheckResult.Slow(slow.delay());
      case Pace.Stop stop -> {
        Refusal refusal =
            new Refusal(
                Reply.of(
                    code,
                    "4.7.0",
                    "Too many " + what + " in a minute, please slow down and try again"),
                Reason.RATE_LIMIT,
                "The source has more than twice the " + what + " a minute that it may have.",
                Optional.empty());
        yield code == 421 ? new CheckResult.Disconnect(refusal) : new CheckResult.Defer(refusal);
      }
    };
  }
}
