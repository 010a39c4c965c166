package net.postern.filter.content;

import static net.postern.filter.Rule.Group.BODY;

import java.util.List;
import java.util.Optional;
import net.postern.filter.MailView;
import net.postern.filter.Rule;

/** Tests of HTML. */
public final class MarkupTests {
  private MarkupTests() {}

  /** Preview lines of good newsletters are hidden too: only more than this is hidden text. */
  private static final int HIDDEN_ALLOWED = 1500;

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule(
              "HTML_TEXT_INVISIBLE_STYLE",
              2.0,
              BODY,
              "More text is hidden by its style than shown",
              MarkupTests::hidden),
          new Rule(
              "HTML_FORM_PASSWORD",
              4.0,
              BODY,
              "A form in the message asks for a password",
              mail -> any(mail, HtmlText::asksPassword)),
          new Rule(
              "HTML_FORM",
              0.8,
              BODY,
              "A form in the message",
              mail -> any(mail, h -> h.forms() > 0)),
          new Rule(
              "HTML_SCRIPT",
              0.8,
              BODY,
              "A script or frame in the message",
              mail -> any(mail, HtmlText::hasScript)),
          new Rule(
              "HTML_IMAGE_ONLY", 1.5, BODY, "Images with next to no text", MarkupTests::imageOnly));

  @FunctionalInterface
  private interface Trait {
    boolean of(HtmlText html);
  }

  private static Optional<String> any(MailView mail, Trait trait) {
    for (HtmlText html : mail.body().html()) {
      if (trait.of(html)) {
        return Rule.YES;
      }
    }
    return Rule.NO;
  }

  private static Optional<String> hidden(MailView mail) {
    for (HtmlText html : mail.body().html()) {
      if (html.hiddenLength() > HIDDEN_ALLOWED && html.hiddenLength() > html.visible().length()) {
        return Rule.seen(html.hiddenLength() + " characters");
      }
    }
    return Rule.NO;
  }

  private static Optional<String> imageOnly(MailView mail) {
    if (!mail.body().plain().isBlank()) {
      return Rule.NO;
    }
    for (HtmlText html : mail.body().html()) {
      if (html.images() > 0 && !html.links().isEmpty() && html.visible().length() < 100) {
        return Rule.YES;
      }
    }
    return Rule.NO;
  }
}
