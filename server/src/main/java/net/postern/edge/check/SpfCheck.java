package net.postern.edge.check;

import java.util.Optional;
import net.postern.auth.SpfResult;
import net.postern.config.ChecksConfig.OnFail;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/** Tells the filter what the sender's domain says of the client, or refuses what it disowns. */
final class SpfCheck implements Check<Rcpt> {
  static final String NAME = "spf";
  private static final String REFUSE = "refuse";

  private final OnFail onFail;

  SpfCheck(OnFail onFail) {
    this.onFail = onFail;
  }

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        true,
        "Checks the client against the SPF record of the reverse-path's domain, of the HELO name"
            + " for the null reverse-path. The result goes to the filter; a fail is refused where"
            + " the provider or the customer said so, for forwarded mail fails too.",
        "550 5.7.23 SPF: example.com does not let 192.0.2.1 send its mail");
  }

  // Again when it is known who gets the mail: that one may have chosen otherwise.
  @Override
  public Turn turn() {
    return Turn.BOTH;
  }

  @Override
  public boolean waits() {
    return true;
  }

  @Override
  public boolean waits(Rcpt question) {
    return !question.mail().spf().isDone();
  }

  @Override
  public CheckResult check(Rcpt question) {
    Optional<SpfResult> asked = question.mail().spf().await();
    if (asked.isEmpty()) {
      return new CheckResult.Pass();
    }
    SpfResult result = asked.get();
    if (result.code() == SpfResult.Code.FAIL && question.surely(this::refuses)) {
      return refuse(question, result);
    }
    boolean against =
        switch (result.code()) {
          case FAIL, SOFTFAIL, PERMERROR -> true;
          case PASS, NEUTRAL, NONE, TEMPERROR -> false;
        };
    return new CheckResult.Note(name(result.code()), detail(result))
        .waived(question.waivers(NAME, against));
  }

  private boolean refuses(Rcpt question) {
    return question.mayRefuse(NAME, true)
        && question
            .policy()
            .choice(NAME)
            .map(choice -> choice.equals(REFUSE))
            .orElse(onFail == OnFail.REFUSE);
  }

  private static CheckResult refuse(Rcpt question, SpfResult result) {
    String explanation = result.explanation().map(each -> "; it says: " + each).orElse("");
    // RFC 7372 §3.2: 5.7.23 SPF validation failed.
    return new CheckResult.Reject(
        new Refusal(
            Reply.of(
                550,
                "5.7.23",
                "SPF: %s does not let %s send its mail%s"
                    .formatted(
                        result.domain(),
                        question.client().address().getHostAddress(),
                        explanation.length() <= 200 ? explanation : explanation.substring(0, 200))),
            Reason.SPF_FAIL,
            "SPF says fail: " + detail(result) + ".",
            question.customer()));
  }

  private static String detail(SpfResult result) {
    return result.domain()
        + result.mechanism().map(each -> ": " + each).orElse("")
        + (result.problem().isEmpty() ? "" : " (" + result.problem() + ")");
  }

  // As rspamd names them.
  private static String name(SpfResult.Code code) {
    return switch (code) {
      case PASS -> "R_SPF_ALLOW";
      case FAIL -> "R_SPF_FAIL";
      case SOFTFAIL -> "R_SPF_SOFTFAIL";
      case NEUTRAL -> "R_SPF_NEUTRAL";
      case NONE -> "R_SPF_NA";
      case TEMPERROR -> "R_SPF_DNSFAIL";
      case PERMERROR -> "R_SPF_PERMFAIL";
    };
  }
}
