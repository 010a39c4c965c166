package net.postern.edge.check;

import java.time.temporal.ChronoUnit;
import java.util.Optional;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;
import net.postern.source.Block;
import net.postern.source.Sources;

/**
 * Refuses sources that are on our own block list, which all nodes share. It is asked at RCPT and
 * not at the connection, so that a recipient may be safelisted for.
 */
final class InternalBlock implements Check<Rcpt> {
  static final About ABOUT =
      new About(
          "internal_block",
          Stage.RCPT,
          true,
          false,
          "Refuses sources on the internal block list, and says until when.",
          "554 5.7.1 Your address 192.0.2.1 is blocked until 2030-01-01T12:00:00Z: too many"
              + " recipients that do not exist were asked for");

  private final Sources sources;

  InternalBlock(Sources sources) {
    this.sources = sources;
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public CheckResult check(Rcpt question) {
    if (question.safelisted()) {
      return new CheckResult.Pass();
    }
    boolean registered = question.ours() || question.submitter().isPresent();
    return sources
        .blocked(question.client().address())
        // Customers' own servers pay for no neighbour; what a person decided holds for them too.
        .filter(block -> !registered || block.kind() == Block.Kind.ADMIN)
        .<CheckResult>map(block -> new CheckResult.Reject(refusal(block)))
        .orElseGet(CheckResult.Pass::new);
  }

  // RFC 3463 §3.8: 5.7.1 delivery not authorized, message refused.
  static Refusal refusal(Block block) {
    return new Refusal(
        Reply.of(
            554,
            "5.7.1",
            "Your %s %s is blocked until %s: %s"
                .formatted(
                    block.source().isNetwork() ? "network" : "address",
                    block.source(),
                    block.until().truncatedTo(ChronoUnit.SECONDS),
                    block.why())),
        Reason.SOURCE_BLOCKED,
        "The source is on the internal block list for the time number " + block.offence() + ".",
        Optional.empty());
  }
}
