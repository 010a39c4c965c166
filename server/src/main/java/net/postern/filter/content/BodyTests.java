package net.postern.filter.content;

import static net.postern.filter.Rule.Group.BODY;

import java.util.List;
import java.util.Optional;
import net.postern.filter.MailView;
import net.postern.filter.Rule;

/** Tests of the text as a whole. */
public final class BodyTests {
  private BodyTests() {}

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule("EMPTY_MESSAGE", 1.5, BODY, "No text and no attachment", BodyTests::empty),
          new Rule(
              "UNICODE_OBFU_ZW",
              1.5,
              BODY,
              "Words are cut by invisible characters",
              BodyTests::cutWords),
          new Rule(
              "BITCOIN_ADDR",
              1.5,
              BODY,
              "Names a Bitcoin address",
              mail -> BitcoinAddress.find(mail.body().visible())));

  private static Optional<String> empty(MailView mail) {
    if (mail.leaves().size() > 1 || !mail.leaves().getFirst().isBodyText()) {
      for (var part : mail.leaves()) {
        if (!part.isBodyText() && part.bodyEnd() > part.bodyStart()) {
          return Rule.NO;
        }
      }
    }
    for (HtmlText html : mail.body().html()) {
      if (html.images() > 0 || !html.links().isEmpty()) {
        return Rule.NO;
      }
    }
    return Rule.when(mail.body().visible().isBlank());
  }

  private static Optional<String> cutWords(MailView mail) {
    int joiners = 0;
    for (HtmlText html : mail.body().html()) {
      joiners += html.joiners();
    }
    return joiners >= 10 ? Rule.seen(joiners + " times") : Rule.NO;
  }
}
