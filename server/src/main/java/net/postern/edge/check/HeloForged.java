package net.postern.edge.check;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.config.InsideAddresses;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.smtp.Reply;

/**
 * Refuses strangers who say that they are us. Only spam software does that; asked at RCPT, so that
 * a recipient who knows better can safelist the client.
 */
final class HeloForged implements Check<Rcpt> {
  static final String NAME = "helo_forged";

  private final Checks.Self self;

  HeloForged(Checks.Self self) {
    this.self = self;
  }

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.RCPT,
        true,
        true,
        "Refuses clients whose HELO name is this server's own name or address.",
        "550 5.7.1 Your HELO name is this server's own");
  }

  // Again when it is known who gets the mail: that one may have chosen otherwise.
  @Override
  public Turn turn() {
    return Turn.BOTH;
  }

  @Override
  public CheckResult check(Rcpt question) {
    if (!question.client().isPublic()
        || self.addresses().contains(question.client().address())
        || !question.surely(each -> each.mayRefuse(NAME, true))
        || !isOurs(question.mail().helo())) {
      return new CheckResult.Pass();
    }
    return new CheckResult.Reject(
        new Refusal(
            Reply.of(550, "5.7.1", "Your HELO name is this server's own"),
            Reason.HELO,
            "The client calls itself %s, which is us.".formatted(question.mail().helo()),
            question.customer()));
  }

  private boolean isOurs(String name) {
    if (name.equalsIgnoreCase(self.hostname())) {
      return true;
    }
    Optional<InetAddress> address = HeloCheck.literal(name);
    if (address.isEmpty() && HeloCheck.isAddress(name)) {
      address = Optional.of(InetAddress.ofLiteral(name));
    }
    // Addresses of inside networks are many machines': a stranger's may be the same.
    return address
        .filter(each -> !InsideAddresses.contain(each))
        .filter(self.addresses()::contains)
        .isPresent();
  }
}
